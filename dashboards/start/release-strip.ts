// The releases under a chart, on the chart's own time axis: a marker per release, a band while a gray release serves part of the
// customers. Shape and words carry the verdict; hovering or focusing tells the release, a click opens it.

import type { ReleaseItem } from '../../query/http/release-schemas.ts'
import { type Lane, type Marker, releaseLanes, type Stretch } from '../charts/release-lanes.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { loudestVerdict, releaseLines, releaseVerdictMarks } from './release-words.ts'

export type ReleaseStrip = {
  readonly releases: readonly ReleaseItem[]
  /** Whose chart it is. */
  readonly service: string
  /** The chart's time axis. */
  readonly fromMs: number
  readonly toMs: number
  /** Of the element that the strip stands in. */
  readonly widthPx: number
  readonly linkTo: (release: string) => string
}

/** Left and right of the axis, as in the charts above (line-chart.ts) and in theme.css. */
const marginsPx = 52 + 14

export function releaseStrip(strip: ReleaseStrip, words: Words): HTMLElement {
  const axis = { ...strip, widthPx: Math.max(strip.widthPx - marginsPx, 1) }
  const { own, others } = releaseLanes(strip.releases, strip.service, axis)
  const line = (lane: Lane, name: 'stripOwn' | 'stripOthers') => laneView(lane, name, strip, words)
  return el(
    'div',
    { class: 'release-strip', role: 'group', 'aria-label': words.text('stripLabel') },
    line(own, 'stripOwn'),
    line(others, 'stripOthers'),
  )
}

function laneView(
  lane: Lane,
  name: 'stripOwn' | 'stripOthers',
  strip: ReleaseStrip,
  words: Words,
): HTMLElement {
  const isEmpty = lane.markers.length === 0 && lane.stretches.length === 0
  return el(
    'div',
    { class: 'release-lane' },
    el('span', { class: 'lane-name muted', title: words.text(`${name}Hint`) }, words.text(name)),
    el(
      'span',
      { class: 'release-track' },
      isEmpty ? el('span', { class: 'muted lane-empty' }, words.text('stripEmpty')) : undefined,
      ...lane.stretches.map((stretch) => stretchView(stretch, strip, words)),
      ...lane.markers.map((marker) => markerView(marker, strip, words)),
    ),
  )
}

function stretchView(
  { release, start, width, isCutLeft, isOpen }: Stretch,
  strip: ReleaseStrip,
  words: Words,
) {
  const { style } = releaseVerdictMarks[release.verdict ?? 'none']
  const ends = `${isCutLeft ? ' cut' : ''}${isOpen ? ' open' : ''}`
  const band = el('a', {
    class: `release-band ${style}${ends}`,
    'data-key': `band ${release.id}`,
    'data-release': release.id,
    href: strip.linkTo(release.id),
    title: releaseLines(release, strip.toMs, words).join('\n'),
    // Its marker is reached by keyboard; a band that began before the axis has none.
    tabindex: isCutLeft ? undefined : -1,
    'aria-hidden': isCutLeft ? undefined : 'true',
    'aria-label': [words.text('gray'), ...releaseLines(release, strip.toMs, words)].join(', '),
  })
  // Through CSSOM, because the page's policy refuses style attributes.
  band.style.left = percent(start)
  band.style.width = percent(width)
  return band
}

function markerView(marker: Marker, strip: ReleaseStrip, words: Words): HTMLElement {
  const { releases } = marker
  const [only] = releases
  const side = marker.at > 0.5 ? 'to-left' : 'to-right'
  const shown =
    releases.length === 1 && only !== undefined
      ? single(only, side, strip, words)
      : cluster(releases, side, strip, words)
  shown.style.left = percent(marker.at)
  return shown
}

function single(release: ReleaseItem, side: string, strip: ReleaseStrip, words: Words): HTMLElement {
  const { mark, style } = releaseVerdictMarks[release.verdict ?? 'none']
  const lines = releaseLines(release, strip.toMs, words)
  return el(
    'a',
    {
      class: `release-marker ${style} ${side}`,
      'data-key': release.id,
      'data-release': release.id,
      href: strip.linkTo(release.id),
      'aria-label': lines.join(', '),
    },
    el('span', { 'aria-hidden': 'true' }, mark),
    el(
      'span',
      { class: 'tip', 'aria-hidden': 'true' },
      ...lines.map((line, place) => el('span', { class: place === 0 ? 'line strong' : 'line' }, line)),
    ),
  )
}

function cluster(
  releases: readonly ReleaseItem[],
  side: string,
  strip: ReleaseStrip,
  words: Words,
): HTMLElement {
  const { mark, label, style } = releaseVerdictMarks[loudestVerdict(releases)]
  const first = releases[0]
  const time = first === undefined ? '' : words.time(Date.parse(first.readyAt ?? first.startedAt), strip.toMs)
  const many = words.text('stripMany', { count: words.count(releases.length), time })
  return el(
    'details',
    { class: `release-cluster ${side}`, 'data-key': `many ${first?.id ?? ''}` },
    el(
      'summary',
      { class: `release-marker ${style}`, title: many, 'aria-label': `${many}, ${words.text(label)}` },
      el('span', { 'aria-hidden': 'true' }, `${mark}${releases.length > 99 ? '99+' : releases.length}`),
    ),
    el(
      'ul',
      { class: 'tip' },
      ...releases.map((release) =>
        el(
          'li',
          { 'data-key': release.id },
          el(
            'a',
            { href: strip.linkTo(release.id), 'data-release': release.id },
            releaseLines(release, strip.toMs, words).join(' · '),
          ),
        ),
      ),
    ),
  )
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`
}
