// One plain sentence, sometimes two or three, about how an SLO stands: what is wrong first, then what is left of the
// budget and how long it lasts. Says nothing that the data does not.

import type { CompiledPolicy } from './slo-policy.ts'
import type { Condition } from './slo-state.ts'
import type { SloStatus } from './slo-status.ts'
import { budgetText, countText, durationText, fill, percentText, timeText } from './sentence-words.ts'
import type { SentenceKey, SentenceLanguage } from './sentence-texts.ts'

export type SentenceContext = {
  readonly nowMs: number
  /** Zone of the reader's clock times. */
  readonly timeZone: string
}

export function sloSentence(
  slo: CompiledPolicy,
  status: SloStatus,
  language: SentenceLanguage,
  context: SentenceContext,
): string {
  const parts = buildParts(slo, status, language, context)
  const sentences = [
    ...parts[status.condition](),
    ...(status.isFrozen ? [fill(language, 'frozen', { reason: fill(language, frozenKey(status)) })] : []),
  ]
  return sentences.map((sentence) => capital(sentence) + fill(language, 'end')).join(fill(language, 'gap'))
}

/** What is said in each condition, one entry per sentence. */
function buildParts(
  slo: CompiledPolicy,
  status: SloStatus,
  language: SentenceLanguage,
  { nowMs, timeZone }: SentenceContext,
): Readonly<Record<Condition, () => readonly string[]>> {
  const text = (key: SentenceKey, values: Readonly<Record<string, string>> = {}) =>
    fill(language, key, values)
  const time = (ms: number) => timeText(language, ms, nowMs, timeZone)
  const percent = (ratio: number) => percentText(language, ratio)
  const budget = budgetText(language, slo.policy.window, status.window?.fromMs ?? nowMs, nowMs)

  function left(): string {
    const remainingRatio = status.budget?.remainingRatio
    if (remainingRatio === undefined) return text('leftUnknown', { budget })
    if (remainingRatio > 0) return text('left', { budget, percent: percent(remainingRatio) })
    return remainingRatio === 0
      ? text('spent', { budget })
      : text('overspent', { budget, percent: percent(-remainingRatio) })
  }

  /** When the budget is gone if that is before its window ends; that it lasts, when it is being spent at all. */
  function pace(): readonly string[] {
    const remainingRatio = status.budget?.remainingRatio
    if (remainingRatio !== undefined && remainingRatio <= 0) return [left()]
    const inMs = status.pace?.exhaustedInMs
    if (inMs === undefined || inMs === 'never' || status.window === undefined) return []
    const { fromMs, toMs, endMs } = status.window
    const horizonMs = slo.policy.window.kind === 'rolling' ? endMs - fromMs : endMs - toMs
    return inMs < horizonMs
      ? [text('exhaustedIn', { budget, duration: durationText(language, inMs) })]
      : [text('lasts', { budget })]
  }

  function burning(): readonly string[] {
    const burnRate = status.pace?.burnRate
    const rate = burnRate === undefined ? '–' : countText(language, burnRate)
    return [text('burning', { rate }), ...pace()]
  }

  function lastGood(): readonly string[] {
    const known = status.lastGood
    if (known === undefined) return []
    return [text('lastGood', { budget, time: time(known.atMs), percent: percent(known.remainingRatio) })]
  }

  function noData(): readonly string[] {
    const { phase, sinceMs } = status.silence
    if (phase === 'never-heard') return [text('neverHeard')]
    if (phase === 'silent') return [text('silent', { time: time(sinceMs) }), ...lastGood()]
    const coverage = status.window?.net.coverage ?? 0
    // Its history was just measured: states change with slices.
    if (coverage >= slo.policy.coverageFloor) return [text('judgedNext')]
    return [
      text('littleKnown', {
        budget,
        percent: percent(coverage),
        floor: percent(slo.policy.coverageFloor),
      }),
    ]
  }

  function tooFew(): string {
    const held = status.pairs.find(({ hold }) => hold === 'insufficient-events')
    const window = status.burns.find(({ windowMs }) => windowMs === held?.pair.longWindowMs)
    const { good, total } = window?.status?.net.counts ?? { good: 0, total: 0 }
    return text('tooFew', { bad: countText(language, total - good), total: countText(language, total) })
  }

  function noTraffic(): string {
    const shortest = slo.windows[slo.shortest]
    const lengthMs = shortest?.kind === 'rolling' ? shortest.durationMs : 0
    return text('noTraffic', { duration: durationText(language, lengthMs) })
  }

  return {
    outage: () => [text('outage', { time: time(status.outage.sinceMs) }), ...pace()],
    'burning-fast': burning,
    'burning-slow': burning,
    error: () => {
      const { count, sinceMs } = status.failures
      return [text('failed', { count: String(count), time: time(sinceMs) }), ...lastGood()]
    },
    'no-data': noData,
    excluded: () => [text('excluded'), left()],
    exhausted: () => [left()],
    'insufficient-events': () => [tooFew(), left()],
    'no-traffic': () => [noTraffic(), left()],
    healthy: () => [left(), ...pace()],
  }
}

function frozenKey(status: SloStatus): SentenceKey {
  const holds = status.pairs.filter(({ phase }) => phase === 'firing').map(({ hold }) => hold)
  if (holds.includes('error')) return 'frozenError'
  if (holds.includes('no-data') || holds.length === 0) return 'frozenNoData'
  return holds.includes('excluded') ? 'frozenExcluded' : 'frozenNoTraffic'
}

/** English sentences begin with a capital; other scripts are left alone. */
function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
