// What stands behind the answer about a fault: the statements that count again, and every decision so far.

import type { Explanation, FaultReply } from '../../query/http/fault-schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { empty, part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { answerBadge } from './fault-list.ts'
import { releaseName, told } from './release-words.ts'
import { timeStamp } from './time-stamp.ts'

/** Buttons carry data-copy: the id of the element whose text is meant. */
export function queryList({ queries }: Explanation, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('queries'))
  if (queries.length === 0) return part(heading, empty('queriesEmpty', words))
  return part(
    heading,
    ...queries.map(({ title, sql }, place) =>
      el(
        'details',
        { class: 'query', 'data-key': `query ${place}` },
        el('summary', {}, title[told(words)]),
        el('pre', { id: `fault-query-${place}`, tabindex: 0 }, el('code', {}, sql)),
        el('button', { type: 'button', 'data-copy': `fault-query-${place}` }, words.text('copy')),
      ),
    ),
  )
}

const decisionsMax = 30

export function decisionTable(
  { decisions, explanation }: FaultReply,
  toRelease: (release: string) => string,
  words: Words,
): HTMLElement {
  const heading = el('h3', {}, words.text('decisions'))
  if (decisions.length === 0) return part(heading, empty('decisionsEmpty', words))
  const newest = decisions.toReversed().slice(0, decisionsMax)
  const nowMs = Date.parse(newest[0]?.decidedAt ?? '')
  const nameOf = (id: string) => {
    const found = explanation?.ranked.find(({ release }) => release === id)
    return found === undefined ? id : releaseName({ ...found, target: '' }) || id
  }
  return part(
    heading,
    table(
      'decisions',
      ['at', 'decision', 'faultCause', 'probability'],
      newest.map(({ decidedAt, verdict, top, posterior }) =>
        el(
          'tr',
          { 'data-key': decidedAt },
          el('td', {}, timeStamp(decidedAt, nowMs, words, false)),
          el('td', {}, answerBadge(verdict, words)),
          el(
            'td',
            {},
            top === null
              ? absent
              : el('a', { class: 'clip', href: toRelease(top), 'data-release': top }, nameOf(top)),
          ),
          el('td', { class: 'number' }, words.ratio(posterior)),
        ),
      ),
      words,
      ['probability'],
    ),
    newest.length < decisions.length
      ? el('p', { class: 'muted' }, words.text('transitionsCut', { shown: words.count(newest.length) }))
      : undefined,
  )
}
