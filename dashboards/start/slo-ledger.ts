// Who spent an SLO's budget, and which time is left out of it by agreement.

import type { SloLedgerReply, SloReply } from '../../query/http/slo-schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { empty, part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { timeStamp } from './time-stamp.ts'

const spendersMax = 20
const stretchesMax = 3

export function ledgerTable(reply: SloLedgerReply | undefined, isAsked: boolean, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('ledger'))
  if (reply === undefined)
    return part(heading, isAsked ? el('p', { class: 'muted' }, words.text('ledgerLoading')) : undefined)
  if (reply.items.length === 0) return part(heading, empty('ledgerEmpty', words))
  const nowMs = Date.parse(reply.to)
  const values = {
    bad: words.count(reply.spent),
    minutes: words.count(reply.badMinutes),
    share: words.ratio(reply.spentRatio),
  }
  const shown = reply.items.slice(0, spendersMax)
  const clip = (text: string) => el('td', {}, el('span', { class: 'clip', title: text }, text || absent))
  const number = (text: string) => el('td', { class: 'number' }, text)
  return part(
    heading,
    el('p', {}, words.text(reply.spentRatio === null ? 'ledgerSumNoBudget' : 'ledgerSum', values)),
    table(
      'ledger',
      [
        'service',
        'operation',
        'version',
        'dependency',
        'badEvents',
        'shareOfSpent',
        'shareOfBudget',
        'minutesColumn',
        'firstAt',
        'lastAt',
      ],
      shown.map((one) =>
        el(
          'tr',
          { 'data-key': [one.service, one.operation, one.version, one.dependency].join('\n') },
          el(
            'th',
            { scope: 'row' },
            el('span', { class: 'clip', title: one.service }, one.service || words.text('serviceUnknown')),
          ),
          clip(one.operation),
          clip(one.version),
          clip(one.dependency),
          number(words.count(one.bad)),
          number(words.ratio(one.share)),
          number(words.ratio(one.budgetShare)),
          number(words.count(one.minutes)),
          el('td', {}, timeStamp(one.firstAt, nowMs, words, false)),
          el('td', {}, timeStamp(one.lastAt, nowMs, words, false)),
        ),
      ),
      words,
      ['badEvents', 'shareOfSpent', 'shareOfBudget', 'minutesColumn'],
    ),
    shown.length < reply.items.length
      ? el(
          'p',
          { class: 'muted' },
          words.text('showingRows', {
            shown: words.count(shown.length),
            count: words.count(reply.items.length),
          }),
        )
      : undefined,
  )
}

export function exclusionsTable(reply: SloReply | undefined, nowMs: number, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('exclusions'))
  if (reply === undefined) return part(heading, el('p', { class: 'muted' }, words.text('loading')))
  if (reply.exclusions.length === 0) return part(heading, empty('exclusionsEmpty', words))
  const time = (at: string) => words.time(Date.parse(at), nowMs)
  return part(
    heading,
    table(
      'exclusions',
      ['exclusionStretches', 'exclusionReason', 'exclusionApprover', 'exclusionTicket', 'exclusionEntered'],
      reply.exclusions.map((one) => {
        const newest = one.stretches.slice(-stretchesMax)
        return el(
          'tr',
          { 'data-key': one.name },
          el(
            'th',
            { scope: 'row', title: one.name },
            ...(newest.length === 0
              ? [absent]
              : newest.map(({ from, to }) => el('span', { class: 'line' }, `${time(from)} – ${time(to)}`))),
          ),
          el('td', { class: 'wraps' }, one.reason),
          el('td', {}, one.approver || absent),
          el('td', {}, one.ticket || absent),
          el(
            'td',
            {},
            timeStamp(one.enteredAt, nowMs, words, false),
            one.isRetroactive
              ? el('span', { class: 'warning-text' }, ` ▲ ${words.text('exclusionRetroactive')}`)
              : undefined,
          ),
        )
      }),
      words,
    ),
  )
}
