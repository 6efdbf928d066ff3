// The table of services by version, bad ones first.

import type { Outcomes, ReleaseEvent, ServiceItem, ServicesReply } from '../../query/http/schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import { absent, type Words } from '../i18n/words.ts'
import { actionKey, badRequests, type Level, levelOf, sortWorstFirst } from '../verdict.ts'
import { el } from './dom.ts'
import { timeStamp } from './time-stamp.ts'

/** More rows than a person reads; a flood of versions must not freeze the page. */
const rowsMax = 200

/** Shape and word carry the state; colour only repeats it. */
export const levelMarks: Readonly<Record<Level, { mark: string; label: TextKey; style: string }>> = {
  bad: { mark: '■', label: 'levelBad', style: 'bad-text' },
  warning: { mark: '▲', label: 'levelWarning', style: 'warning-text' },
  ok: { mark: '●', label: 'levelOk', style: 'ok-text' },
  quiet: { mark: '○', label: 'levelQuiet', style: 'no-data-text' },
}

const outcomeColumns: readonly { outcome: keyof Outcomes; label: TextKey; style: string }[] = [
  { outcome: 'system_error', label: 'systemError', style: 'bad-text' },
  { outcome: 'business_error', label: 'businessError', style: 'bad-text' },
  { outcome: 'shed', label: 'shed', style: 'warning-text' },
  // The customer's or the rules' doing: counted, not coloured.
  { outcome: 'business_reject', label: 'businessReject', style: '' },
]

export type ServicesTable = {
  readonly reply: ServicesReply
  readonly releases: readonly ReleaseEvent[]
  readonly selected: string | undefined
  /** The address of a service's view. */
  readonly linkTo: (service: string) => string
}

/** Rows carry data-service; what a click means is decided by the page. */
export function servicesTable(table: ServicesTable, words: Words): HTMLElement {
  const { items, to } = table.reply
  if (items.length === 0) return el('p', { class: 'muted' }, words.text('servicesEmpty'))
  const nowMs = Date.parse(to)
  const shown = sortWorstFirst(items).slice(0, rowsMax)
  const head = (key: TextKey, kind = '', title?: string) =>
    el('th', { scope: 'col', class: kind === '' ? undefined : kind, title }, words.text(key))
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { class: 'services' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          head('state'),
          head('service'),
          head('version'),
          head('rate', 'number'),
          head('errorRatio', 'number', words.text('errorRatioHint')),
          ...outcomeColumns.map(({ label }) => head(label, 'number')),
          head('p50', 'number'),
          head('p95', 'number'),
          head('p99', 'number'),
          head('lastSeen'),
          head('release'),
        ),
      ),
      el('tbody', {}, ...shown.map((item) => row(item, table, nowMs, words))),
    ),
    shown.length < items.length
      ? el(
          'p',
          { class: 'muted' },
          words.text('showingRows', { shown: words.count(shown.length), count: words.count(items.length) }),
        )
      : undefined,
  )
}

/** The newest release event of one service version. */
export function latestRelease(
  releases: readonly ReleaseEvent[],
  item: { readonly service: string; readonly version: string },
): ReleaseEvent | undefined {
  let latest: ReleaseEvent | undefined
  for (const event of releases) {
    if (event.service !== item.service || event.version !== item.version) continue
    if (latest === undefined || Date.parse(event.at) > Date.parse(latest.at)) latest = event
  }
  return latest
}

function row(item: ServiceItem, table: ServicesTable, nowMs: number, words: Words): HTMLElement {
  const level = levelOf(item)
  const { mark, label, style } = levelMarks[level]
  const alarming = level === 'bad' || level === 'warning'
  const release = item.version === '' ? undefined : latestRelease(table.releases, item)
  const number = (text: string, kind = '', title?: string) =>
    el('td', { class: `number ${kind}`.trimEnd(), title }, text)
  const base = words.text('badOf', {
    bad: words.count(badRequests(item)),
    requests: words.count(item.requests),
  })
  return el(
    'tr',
    {
      'data-key': `${item.service}\n${item.version}`,
      'data-service': item.service === '' ? undefined : item.service,
      'aria-current': item.service === table.selected ? 'true' : undefined,
      class: level,
    },
    el(
      'td',
      { class: style },
      el('span', { class: `mark ${level}`, 'aria-hidden': 'true' }, mark),
      words.text(label),
    ),
    el(
      'th',
      { scope: 'row' },
      item.service === ''
        ? words.text('serviceUnknown')
        : el('a', { class: 'clip', href: table.linkTo(item.service), title: system(item) }, item.service),
    ),
    item.version === ''
      ? el('td', { class: 'muted' }, words.text('versionUnknown'))
      : el('td', {}, el('span', { class: 'clip narrow', title: item.version }, item.version)),
    number(item.requests === 0 ? absent : words.ratePerSecond(item.ratePerSecond)),
    number(
      words.ratio(item.errorRatio),
      alarming ? `${style} strong` : '',
      item.requests === 0 ? undefined : base,
    ),
    ...outcomeColumns.map((column) => {
      const count = item.outcomes[column.outcome]
      if (item.requests === 0) return number(absent)
      if (count === 0) return number('0', 'muted')
      // A few errors among many requests are marked, those of a failing version stand out.
      return number(
        words.count(count),
        alarming && column.style !== '' ? `${column.style} strong` : column.style,
      )
    }),
    number(words.milliseconds(item.p50Ms)),
    number(words.milliseconds(item.p95Ms)),
    number(words.milliseconds(item.p99Ms)),
    el('td', {}, timeStamp(item.lastSeenAt, nowMs, words, false)),
    release === undefined
      ? el('td', { class: 'muted' }, absent)
      : el(
          'td',
          { class: 'release-text', title: `${release.at}\n${release.type}\n${release.description}`.trim() },
          `⚑ ${words.text(actionKey(release))} ${words.ago(Date.parse(release.at), nowMs)}`,
        ),
  )
}

function system(item: ServiceItem): string {
  return item.system === '' ? item.service : `${item.service} · ${item.system}`
}
