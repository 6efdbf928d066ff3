// Everything about one SLO that explains its row: what it promises, its burn pairs, its changes, who spent the budget, what
// is excluded. Each part is drawn from its own answer, so that one that fails leaves the others.

import type {
  SloHistoryReply,
  SloItem,
  SloLedgerReply,
  SloReply,
  TransitionItem,
} from '../../query/http/slo-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'
import { groupWords, windowWords } from './slo-figures.ts'
import { conditionBadge, conditionMarks, tierBadge } from './slo-marks.ts'
import { timeStamp } from './time-stamp.ts'

const transitionsMax = 30
const spendersMax = 20
const stretchesMax = 3

/** «Gateway available · region=0531» */
export function sloTitle(item: SloItem, words: Words): string {
  const names = [item.displayName || item.slo, item.objectiveName, groupWords(item, words)]
  return [...new Set(names.filter((name) => name !== ''))].join(' · ')
}

export function sloFacts(item: SloItem, profile: SloReply['burnProfile'], words: Words): HTMLElement {
  const nowMs = Date.parse(item.toldAt ?? item.since)
  const fact = (key: TextKey, ...value: (HTMLElement | string)[]) =>
    el('div', {}, el('dt', {}, words.text(key)), el('dd', {}, ...value))
  const { budget } = item
  const units = (value: number) =>
    words.text(budget?.unit === 'slices' ? 'unitSlices' : 'unitEvents', {
      count: words.signed(value),
    })
  return el(
    'div',
    {},
    el(
      'p',
      { class: 'says' },
      conditionBadge(item.condition, words),
      ' ',
      item.sentences[words.language],
      item.description === '' ? undefined : el('span', { class: 'muted under' }, item.description),
    ),
    el(
      'dl',
      { class: 'facts' },
      fact('slo', item.slo),
      fact('service', item.service, ' ', tierBadge(item.tier, words)),
      fact('targetAndSli', `${words.sli(item.target)} · ${words.sli(item.window?.net.sliRatio ?? null)}`),
      fact('sloWindow', windowWords(item.windowText, words)),
      ...(budget === null
        ? []
        : [
            fact('allowed', units(budget.allowed)),
            fact('spent', units(budget.spent)),
            fact('remaining', `${units(budget.remaining)} (${words.left(budget.remainingRatio)})`),
          ]),
      fact('budgeting', item.budgetingMethod),
      fact('sliKind', item.isComposite ? words.text('composite') : item.sliKinds.join(', ')),
      fact('sloStep', words.seconds(item.stepSeconds)),
      ...(item.owner === null ? [] : [fact('owner', item.owner)]),
      ...(profile === null ? [] : [fact('burnProfile', el('span', { title: profile.source }, profile.name))]),
      fact('generation', words.count(item.generation)),
      ...(item.judgedAt === null ? [] : [fact('judged', timeStamp(item.judgedAt, nowMs, words, false))]),
    ),
  )
}

const holds: Readonly<Record<SloItem['pairs'][number]['hold'], TextKey | undefined>> = {
  none: undefined,
  'no-data': 'holdNoData',
  'no-traffic': 'holdNoTraffic',
  excluded: 'holdExcluded',
  error: 'holdError',
  'insufficient-events': 'holdInsufficientEvents',
}

export function pairsTable({ pairs }: SloItem, nowMs: number, words: Words): HTMLElement {
  const heading = el('h3', {}, words.text('burnPairs'))
  if (pairs.length === 0) return part(heading, empty('pairsEmpty', words))
  const over = (rate: number | null, seconds: number, factor: number) => {
    const isOver = rate !== null && rate > factor
    return el(
      'td',
      { class: 'number' },
      el(
        'span',
        { class: isOver ? 'bad-text strong' : undefined },
        `${isOver ? '▲ ' : ''}${words.times(rate)}`,
      ),
      el('span', { class: 'muted' }, ` / ${words.seconds(seconds)}`),
    )
  }
  return part(
    heading,
    table(
      'burnPairs',
      ['pair', 'pairAsks', 'longWindow', 'shortWindow', 'phase'],
      pairs.map((pair) => {
        const hold = holds[pair.hold]
        const isFiring = pair.phase === 'firing'
        return el(
          'tr',
          { 'data-key': pair.id },
          el('th', { scope: 'row' }, pair.id),
          el(
            'td',
            {},
            `${words.text(pair.severity === 'page' ? 'severityPage' : 'severityTicket')} > ${words.times(pair.factor)}`,
          ),
          over(pair.longBurnRate, pair.longWindowSeconds, pair.factor),
          over(pair.shortBurnRate, pair.shortWindowSeconds, pair.factor),
          el(
            'td',
            {},
            el(
              'span',
              { class: isFiring ? 'bad-text strong' : 'muted' },
              isFiring
                ? `■ ${words.text('phaseFiring')} ${words.text('since', { time: words.time(Date.parse(pair.since), nowMs) })}`
                : words.text('phaseInactive'),
            ),
            hold === undefined ? undefined : el('span', { class: 'warning-text' }, ` ‖ ${words.text(hold)}`),
            pair.by === 'probe' ? el('span', { class: 'muted' }, ` ${words.text('byProbe')}`) : undefined,
          ),
        )
      }),
      words,
    ),
  )
}

export function transitionsTable(
  reply: SloHistoryReply | undefined,
  lengthSeconds: number,
  words: Words,
): HTMLElement {
  const heading = el('h3', {}, words.text('transitions', { length: words.seconds(lengthSeconds) }))
  if (reply === undefined) return part(heading, el('p', { class: 'muted' }, words.text('loading')))
  if (reply.transitions.length === 0) return part(heading, empty('transitionsEmpty', words))
  const nowMs = Date.parse(reply.to)
  const shown = reply.transitions.toSorted((a, b) => b.id - a.id).slice(0, transitionsMax)
  return part(
    heading,
    table(
      'change',
      ['at', 'subject', 'change'],
      shown.map((one) =>
        el(
          'tr',
          { 'data-key': String(one.id) },
          el('td', {}, timeStamp(one.at, nowMs, words, true)),
          el('td', {}, subjectWords(one, words)),
          el(
            'td',
            {},
            words.text('fromTo', {
              from: transitionWord(one.subject, one.from, words),
              to: transitionWord(one.subject, one.to, words),
            }),
          ),
        ),
      ),
      words,
    ),
    shown.length < reply.transitions.length || reply.isCut
      ? el('p', { class: 'muted' }, words.text('transitionsCut', { shown: words.count(shown.length) }))
      : undefined,
  )
}

const subjects: Readonly<Record<TransitionItem['subject'], TextKey>> = {
  condition: 'subjectCondition',
  pair: 'subjectPair',
  outage: 'subjectOutage',
  silence: 'subjectSilence',
  measuring: 'subjectMeasuring',
  budget: 'subjectBudget',
}

function subjectWords({ subject, pair }: TransitionItem, words: Words): string {
  return words.text(subjects[subject], { pair: pair ?? '' })
}

const phases: Readonly<Record<string, TextKey>> = {
  inactive: 'phaseInactive',
  firing: 'phaseFiring',
  frozen: 'held',
  'insufficient-events': 'conditionInsufficientEvents',
  'never-heard': 'silenceNeverHeard',
  heard: 'silenceHeard',
  silent: 'silenceSilent',
  works: 'measuringWorks',
  fails: 'measuringFails',
  left: 'budgetLeftWord',
  exhausted: 'budgetExhausted',
}

/** What a thing changed from or to; a word of a newer API stays as it was sent. */
export function transitionWord(subject: TransitionItem['subject'], word: string, words: Words): string {
  const key =
    subject === 'condition'
      ? Object.entries(conditionMarks).find(([condition]) => condition === word)?.[1].label
      : Object.entries(phases).find(([phase]) => phase === word)?.[1]
  return key === undefined ? word : words.text(key)
}

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

function part(...children: (HTMLElement | undefined)[]): HTMLElement {
  return el('div', { class: 'part' }, ...children)
}

function empty(key: TextKey, words: Words): HTMLElement {
  return el('p', { class: 'muted' }, words.text(key))
}

function table(
  label: TextKey,
  heads: readonly TextKey[],
  rows: readonly HTMLElement[],
  words: Words,
  numbers: readonly TextKey[] = ['longWindow', 'shortWindow'],
): HTMLElement {
  return el(
    'div',
    { class: 'scroll' },
    el(
      'table',
      { 'aria-label': words.text(label) },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...heads.map((key) =>
            el('th', { scope: 'col', class: numbers.includes(key) ? 'number' : undefined }, words.text(key)),
          ),
        ),
      ),
      el('tbody', {}, ...rows),
    ),
  )
}
