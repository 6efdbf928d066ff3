// The verdict on one release, answer first, then a line per measure with its counts and interval.

import type { MeasureVerdict, ReleaseVerdict } from '../../query/http/release-schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { table } from './detail-parts.ts'
import { el } from './dom.ts'
import { badRatio } from './fault-words.ts'
import { measureKeys, reasonKeys, releaseVerdictMarks, told } from './release-words.ts'

export function verdictView(verdict: ReleaseVerdict, nowMs: number, words: Words): HTMLElement {
  const { override } = verdict
  const stands = override?.verdict ?? verdict.verdict
  const { mark, label, style } = releaseVerdictMarks[stands]
  const box = { worse: 'bad', 'not-worse': 'ok', 'cannot-tell': 'release' }[stands]
  return el(
    'div',
    { class: 'verdict-body' },
    el(
      'p',
      { class: `notice verdict ${box}` },
      el('span', { class: `condition ${style}` }, `${mark} ${words.text(label)}`),
      ' ',
      el('span', {}, verdict.headline[told(words)]),
      verdict.fault === null
        ? undefined
        : el(
            'span',
            { class: 'more' },
            words.text(verdict.fault === 'technical' ? 'technicalFault' : 'businessFault'),
          ),
      override === null
        ? undefined
        : el(
            'span',
            { class: 'more' },
            `${words.text('verdictOverride', {
              by: override.by,
              verdict: words.text(releaseVerdictMarks[override.verdict].label),
              time: words.time(Date.parse(override.at), nowMs),
              reason: override.reason,
            })} ${words.text('verdictOurs', { verdict: words.text(releaseVerdictMarks[verdict.verdict].label) })}`,
          ),
    ),
    missing(verdict, words),
    el(
      'p',
      { class: 'muted' },
      words.text('verdictBase', {
        exposed: words.count(verdict.exposedRequests),
        control: words.count(verdict.controlRequests),
        rate: words.ratio(verdict.errorRate),
      }),
    ),
    verdict.measures.length === 0 ? undefined : measureTable(verdict.measures, words),
  )
}

function missing({ requestsMissing, minutesMissing }: ReleaseVerdict, words: Words): HTMLElement | undefined {
  if (minutesMissing === null) return undefined
  const minutes = words.count(Math.max(1, minutesMissing))
  return el(
    'p',
    {},
    requestsMissing === null
      ? words.text('verdictMissingMinutes', { minutes })
      : words.text('verdictMissing', { minutes, requests: words.count(requestsMissing) }),
  )
}

function measureTable(measures: readonly MeasureVerdict[], words: Words): HTMLElement {
  return table(
    'releaseVerdict',
    ['measure', 'result', 'exposedColumn', 'controlColumn', 'difference', 'whatItMeans'],
    measures.map((one) => row(one, words)),
    words,
    ['exposedColumn', 'controlColumn', 'difference'],
  )
}

function row(one: MeasureVerdict, words: Words): HTMLElement {
  const { mark, label, style } = releaseVerdictMarks[one.verdict]
  const side = (counts: { readonly requests: number; readonly bad: number } | undefined) =>
    el(
      'td',
      {
        class: 'number',
        title:
          counts === undefined
            ? undefined
            : words.text('badOf', { bad: words.signed(counts.bad), requests: words.signed(counts.requests) }),
      },
      counts === undefined ? absent : words.ratio(badRatio(counts)),
    )
  const reasons = one.reasons.map((reason) => words.text(reasonKeys[reason]))
  return el(
    'tr',
    { 'data-key': one.measure },
    el('th', { scope: 'row' }, words.text(measureKeys[one.measure])),
    el('td', { class: `condition ${style}` }, `${mark} ${words.text(label)}`),
    side(one.contrast?.exposed),
    side(one.contrast?.control),
    el('td', { class: 'number' }, difference(one, words)),
    el(
      'td',
      { class: 'wraps' },
      one.text[told(words)],
      reasons.length === 0
        ? undefined
        : el('span', { class: 'muted under' }, words.list(reasons, reasons.length)),
    ),
  )
}

/** In points of a percentage, or ms for latency. */
function difference({ measure, difference: value, low, high }: MeasureVerdict, words: Words): string {
  if (value === null) return absent
  const isRatio =
    measure !== 'latency' && measure !== 'new_error_signatures' && measure !== 'resource_per_request'
  const say = (figure: number) => {
    const sign = figure > 0 ? '+' : ''
    if (isRatio) return `${sign}${words.signed(figure * 100)}%`
    return measure === 'latency' ? `${sign}${words.signed(figure)} ms` : `${sign}${words.signed(figure)}`
  }
  if (low === null || high === null) return say(value)
  return words.text('interval', { value: say(value), low: say(low), high: say(high) })
}
