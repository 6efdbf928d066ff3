// The faults of the last day: what, what is to be made of it, and since when.

import type { FaultItem, FaultsReply } from '../../query/http/fault-schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { blameMarks, faultName, newestFirst, originWords, placeWords } from './fault-words.ts'
import { told } from './release-words.ts'
import { timeStamp } from './time-stamp.ts'

export type FaultList = {
  readonly reply: FaultsReply
  readonly selected: string | undefined
  readonly linkTo: (fault: string) => string
}

/** Rows carry data-fault; what a click means is decided by the section. */
export function faultList({ reply, selected, linkTo }: FaultList, words: Words): HTMLElement {
  if (reply.items.length === 0) return el('p', { class: 'muted' }, `● ${words.text('faultsEmpty')}`)
  const nowMs = Date.parse(reply.to)
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { class: 'faults' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...(['faultAnswer', 'faultWhat', 'whatItMeans', 'faultCause', 'alarmColumn'] as const).map((key) =>
            el('th', { scope: 'col' }, words.text(key)),
          ),
        ),
      ),
      el(
        'tbody',
        {},
        ...newestFirst(reply.items).map((item) => row(item, item.id === selected, nowMs, linkTo, words)),
      ),
    ),
  )
}

function row(
  item: FaultItem,
  isSelected: boolean,
  nowMs: number,
  linkTo: FaultList['linkTo'],
  words: Words,
): HTMLElement {
  const { topCause } = item
  const place = placeWords(item, words)
  const isCauseShown = topCause !== null && (item.verdict === 'blamed' || item.verdict === 'suspect')
  return el(
    'tr',
    {
      'data-key': item.id,
      'data-fault': item.id,
      'aria-current': isSelected ? 'true' : undefined,
      class: item.endedAt === null ? 'running' : 'over',
    },
    el('td', {}, answerBadge(item.verdict, words)),
    el(
      'th',
      { scope: 'row' },
      el('a', { href: linkTo(item.id) }, faultName(item, words)),
      el('span', { class: 'muted under' }, [place, originWords(item, words)].filter(Boolean).join(' · ')),
    ),
    el('td', { class: 'says' }, item.headline?.[told(words)] ?? words.text('faultNotExplained')),
    isCauseShown
      ? el(
          'td',
          {},
          el('span', { class: 'clip narrow' }, `${topCause.service} ${topCause.versionTo}`.trim()),
          ` ${words.ratio(topCause.posterior)}`,
        )
      : el('td', { class: 'muted' }, absent),
    el(
      'td',
      {},
      timeStamp(item.alarmAt, nowMs, words, true),
      el('span', { class: item.endedAt === null ? 'bad-text under' : 'muted under' }, lasting(item, words)),
    ),
  )
}

/** The answer in shape, word and colour. */
export function answerBadge(verdict: FaultItem['verdict'], words: Words): HTMLElement {
  const { mark, label, style } = blameMarks[verdict ?? 'none']
  return el(
    'span',
    { class: `condition ${style}` },
    el('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    words.text(label),
  )
}

/** «lasts», or how long it took. */
export function lasting({ alarmAt, endedAt }: Pick<FaultItem, 'alarmAt' | 'endedAt'>, words: Words): string {
  if (endedAt === null) return `■ ${words.text('faultLasts')}`
  const seconds = (Date.parse(endedAt) - Date.parse(alarmAt)) / 1000
  const length = Number.isFinite(seconds) ? words.seconds(Math.max(0, seconds)) : absent
  return `${words.text('faultEnded')} · ${words.text('faultLength', { length })}`
}
