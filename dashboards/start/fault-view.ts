// One fault, answer first: the headline, what to take back, why this release and not the others, who is hit, how to check it.

import type { Explanation, FaultReply } from '../../query/http/fault-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { blastRadius } from './blast-radius.ts'
import { callChain, type ChainLinks, exemplars } from './call-chain.ts'
import { competingTable } from './competing-table.ts'
import { el } from './dom.ts'
import { lasting } from './fault-list.ts'
import { decisionTable, queryList } from './fault-record.ts'
import { blameMarks, originWords, placeWords } from './fault-words.ts'
import { type CauseLinks, exonerated, rankedCauses } from './ranked-causes.ts'
import { told } from './release-words.ts'
import { rollbackAdvice } from './rollback-advice.ts'
import { timeStamp } from './time-stamp.ts'

export type FaultLinks = CauseLinks & ChainLinks

export function faultView(reply: FaultReply, links: FaultLinks, nowMs: number, words: Words): HTMLElement {
  const { explanation } = reply
  return el(
    'div',
    { 'data-key': reply.id, class: 'fault-body' },
    headline(reply, words),
    explanation === null ? undefined : rollbackAdvice(explanation, links, words),
    facts(reply, nowMs, words),
    explanation?.wouldDecide === undefined || explanation.wouldDecide === null
      ? undefined
      : wouldDecide(explanation, words),
    explanation === null ? undefined : notes(explanation, words),
    explanation === null ? undefined : answers(explanation, links, words),
    decisionTable(reply, links.toRelease, words),
  )
}

function headline({ verdict, headline: sentence, explanation }: FaultReply, words: Words): HTMLElement {
  const { mark, style, box } = blameMarks[verdict ?? 'none']
  const text = (explanation?.headline ?? sentence)?.[told(words)] ?? words.text('faultNotExplained')
  return el(
    'p',
    { class: `notice verdict ${box}`.trimEnd() },
    el('span', { class: `condition ${style}`, 'aria-hidden': 'true' }, mark),
    ' ',
    el('span', { id: 'fault-headline' }, text),
  )
}

function facts(reply: FaultReply, nowMs: number, words: Words): HTMLElement {
  const fact = (key: TextKey, ...value: (HTMLElement | string)[]) =>
    el('div', {}, el('dt', {}, words.text(key)), el('dd', {}, ...value))
  const place = placeWords(reply, words)
  const { explanation } = reply
  return el(
    'dl',
    { class: 'facts' },
    fact('alarmAt', timeStamp(reply.alarmAt, nowMs, words, true)),
    fact('releaseState', lasting(reply, words)),
    explanation === null ? undefined : fact('onset', onset(explanation, nowMs, words)),
    fact('faultOrigin', originWords(reply, words)),
    place === '' ? undefined : fact('faultPlace', place),
    explanation === null
      ? undefined
      : fact('decidedAt', timeStamp(explanation.decidedAt, nowMs, words, true)),
  )
}

function onset({ onset: found }: Explanation, nowMs: number, words: Words): HTMLElement {
  if (found === null) return el('span', { class: 'warning-text' }, `▲ ${words.text('onsetUnknown')}`)
  const time = (at: string) => words.time(Date.parse(at), nowMs)
  return el(
    'span',
    {},
    timeStamp(found.at, nowMs, words, false),
    el(
      'span',
      { class: 'muted' },
      ` (${words.text('onsetBetween', { earliest: time(found.earliest), latest: time(found.latest) })})`,
    ),
  )
}

function wouldDecide({ wouldDecide: sentence, minutesMissing }: Explanation, words: Words): HTMLElement {
  const missing =
    minutesMissing === null
      ? ''
      : ` (${words.text('minutesMissing', { minutes: words.signed(minutesMissing) })})`
  return el(
    'p',
    { class: 'notice release' },
    el('span', { class: 'strong' }, `◆ ${words.text('wouldDecide')}: `),
    `${sentence?.[told(words)] ?? ''}${missing}`,
  )
}

/** What was not looked at, so that nobody takes the answer for more than it is. */
function notes({ notes: sentences }: Explanation, words: Words): HTMLElement | undefined {
  if (sentences.length === 0) return undefined
  return el(
    'ul',
    { class: 'muted', 'aria-label': words.text('faultNotes') },
    ...sentences.map((sentence) => el('li', {}, sentence[told(words)])),
  )
}

function answers(explanation: Explanation, links: FaultLinks, words: Words): HTMLElement {
  return el(
    'div',
    { class: 'fault-parts' },
    rankedCauses(explanation, links, words),
    exonerated(explanation, links, words),
    competingTable(explanation, words),
    blastRadius(explanation.blastRadius, words),
    callChain(explanation, links, words),
    exemplars(explanation, links, words),
    queryList(explanation, words),
  )
}
