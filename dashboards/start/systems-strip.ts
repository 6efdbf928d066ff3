// Systems with their tier and the unplanned minutes each used of what its tier allows in a year, those nearest to their
// allowance first.

import type { DowntimeReply } from '../../query/http/report-schemas.ts'
import type { Condition } from '../../query/http/slo-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { conditionMarks, tierBadge } from './slo-marks.ts'

type System = DowntimeReply['items'][number]

/** More than a person looks at; what is left out has used least of its allowance. */
const systemsMax = 24
/** From here on a person should look. */
const high = 0.75

/** @returns share of the year's allowance that is used; undefined when nothing is known or nothing was agreed */
export function usedShare({ allowedSeconds, unplannedSeconds, sources }: System): number | undefined {
  if (allowedSeconds === null || sources.length === 0) return undefined
  return allowedSeconds === 0 ? (unplannedSeconds > 0 ? Infinity : 0) : unplannedSeconds / allowedSeconds
}

/** Most used first; those of which nothing is known last, by name. */
export function byUse(a: System, b: System): number {
  const [left, right] = [weight(a), weight(b)]
  if (left !== right) return right - left
  return a.system < b.system ? -1 : Number(a.system > b.system)
}

function weight(item: System): number {
  return usedShare(item) ?? (item.sources.length === 0 ? -2 : -1)
}

export function systemsStrip(
  reply: DowntimeReply,
  conditions: ReadonlyMap<string, Condition>,
  words: Words,
): HTMLElement {
  if (reply.items.length === 0) return el('p', { class: 'muted' }, words.text('systemsEmpty'))
  const nowMs = Date.parse(reply.to)
  const sorted = reply.items.toSorted(byUse)
  const left = sorted.length - systemsMax
  return el(
    'ul',
    { class: 'systems' },
    ...sorted.slice(0, systemsMax).map((item) => chip(item, conditions.get(item.system), nowMs, words)),
    left > 0
      ? el('li', { class: 'muted' }, words.text('systemsMore', { count: words.count(left) }))
      : undefined,
  )
}

function chip(item: System, condition: Condition | undefined, nowMs: number, words: Words): HTMLElement {
  const share = usedShare(item)
  const isOver = share !== undefined && share > 1
  const isHigh = share !== undefined && share >= high
  const mark = condition === undefined ? undefined : conditionMarks[condition]
  return el(
    'li',
    { 'data-key': item.system, title: explained(item, words) },
    el(
      'span',
      { class: 'system-name' },
      el('span', { class: 'strong clip' }, item.system),
      tierBadge(item.tier, words),
      mark === undefined
        ? undefined
        : el(
            'span',
            { class: `condition plain ${mark.level}` },
            el('span', { class: 'mark', 'aria-hidden': 'true' }, mark.mark),
            words.text(mark.label),
          ),
    ),
    item.sources.length === 0
      ? el('span', { class: 'muted' }, words.text('downtimeNoSource'))
      : el(
          'span',
          { class: isOver ? 'bad-text strong' : isHigh ? 'warning-text strong' : undefined },
          bar(share),
          `${isOver || isHigh ? '▲ ' : ''}${minutes(item, words)}`,
          isOver ? ` ${words.text('downtimeOver')}` : undefined,
        ),
    item.knownFrom === null || item.sources.length === 0
      ? undefined
      : el(
          'span',
          { class: 'muted' },
          words.text('downtimeFrom', { time: words.day(Math.min(Date.parse(item.knownFrom), nowMs)) }),
        ),
  )
}

function minutes({ unplannedSeconds, allowedSeconds, knownFrom }: System, words: Words): string {
  if (knownFrom === null) return words.text('downtimeUnknown')
  const used = words.minutes(unplannedSeconds)
  return allowedSeconds === null
    ? words.text('downtimeUsed', { used })
    : words.text('downtimeOf', { used, allowed: words.minutes(allowedSeconds) })
}

function explained(item: System, words: Words): string {
  return [
    words.text('downtimeHint', {
      unplanned: words.minutes(item.unplannedSeconds),
      planned: words.minutes(item.plannedSeconds),
      coverage: words.ratio(item.coverage),
    }),
    item.sources.length === 0
      ? words.text('downtimeNoSource')
      : words.text('downtimeSources', {
          list: words.list(
            item.sources.map(({ slo }) => slo),
            5,
          ),
        }),
  ].join('\n')
}

function bar(share: number | undefined): HTMLElement | undefined {
  if (share === undefined) return undefined
  return el('meter', {
    min: 0,
    max: 1,
    low: high,
    // Below the allowance is a warning, all of it is bad.
    high: 0.999,
    optimum: 0,
    value: Math.min(1, share),
    'aria-hidden': 'true',
  })
}
