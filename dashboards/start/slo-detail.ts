// Everything about one SLO that explains its row: what it promises, its burn pairs, its changes. Each part is drawn from its own answer, so that one that fails leaves the others.

import type { SloHistoryReply, SloItem, SloReply, TransitionItem } from '../../query/http/slo-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { empty, part, table } from './detail-parts.ts'
import { el } from './dom.ts'
import { groupWords, windowWords } from './slo-figures.ts'
import { conditionBadge, conditionMarks, tierBadge } from './slo-marks.ts'
import { timeStamp } from './time-stamp.ts'

const transitionsMax = 30

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
      ['longWindow', 'shortWindow'],
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
