// One plain sentence, sometimes two or three, about how an SLO stands: what is wrong first, then what is left of the
// budget and how long it lasts. Says nothing that the data does not.

import type { CompiledPolicy } from './slo-policy.ts'
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
  { nowMs, timeZone }: SentenceContext,
): string {
  const text = (key: SentenceKey, values: Readonly<Record<string, string>> = {}) =>
    fill(language, key, values)
  const time = (ms: number) => timeText(language, ms, nowMs, timeZone)
  const budget = budgetText(language, slo.policy.window, status.window?.fromMs ?? nowMs)
  const parts = [...head(), ...(status.isFrozen ? [text('frozen', { reason: frozenReason() })] : [])]
  return parts.map((part) => capital(part) + text('end')).join(text('gap'))

  function head(): string[] {
    switch (status.condition) {
      case 'outage':
        return [text('outage', { time: time(status.sinceMs) }), ...pace()]
      case 'burning-fast':
      case 'burning-slow':
        return [text('burning', { rate: rate() }), ...pace()]
      case 'error': {
        const { count, sinceMs } = status.failures
        return [text('failed', { count: String(count), time: time(sinceMs) }), ...lastGood()]
      }
      case 'no-data':
        return noData()
      case 'excluded':
        return [text('excluded'), left()]
      case 'exhausted':
        return [left()]
      case 'insufficient-events': {
        const held = status.pairs.find(({ hold }) => hold === 'insufficient-events')
        const counts = status.burns.find(({ windowMs }) => windowMs === held?.pair.longWindowMs)?.status?.net
          .counts
        const bad = counts === undefined ? 0 : counts.total - counts.good
        return [
          text('tooFew', { bad: countText(language, bad), total: countText(language, counts?.total ?? 0) }),
          left(),
        ]
      }
      case 'no-traffic': {
        const shortest = slo.windows[slo.shortest]
        const length = shortest?.kind === 'rolling' ? shortest.durationMs : 0
        return [text('noTraffic', { duration: durationText(language, length) }), left()]
      }
      case 'healthy':
        return [left(), ...pace()]
    }
  }

  /** How long it lasts, when that ends before the window does; that it lasts, when it is being spent at all. */
  function pace(): string[] {
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

  function left(): string {
    const remainingRatio = status.budget?.remainingRatio
    if (remainingRatio === undefined) return text('leftUnknown', { budget })
    if (remainingRatio > 0) return text('left', { budget, percent: percentText(language, remainingRatio) })
    return remainingRatio === 0
      ? text('spent', { budget })
      : text('overspent', { budget, percent: percentText(language, -remainingRatio) })
  }

  function noData(): string[] {
    if (status.silence.phase === 'never-heard') return [text('neverHeard')]
    if (status.silence.phase === 'silent')
      return [text('silent', { time: time(status.silence.sinceMs) }), ...lastGood()]
    const coverage = status.window?.net.coverage ?? 0
    return [
      text('littleKnown', {
        budget,
        percent: percentText(language, coverage),
        floor: percentText(language, slo.policy.coverageFloor),
      }),
    ]
  }

  function lastGood(): string[] {
    const known = status.lastGood
    if (known === undefined) return []
    return [
      text('lastGood', {
        budget,
        time: time(known.atMs),
        percent: percentText(language, known.remainingRatio),
      }),
    ]
  }

  function rate(): string {
    const burnRate = status.pace?.burnRate
    return burnRate === undefined ? '–' : countText(language, burnRate)
  }

  function frozenReason(): string {
    const holds = status.pairs.filter(({ phase }) => phase === 'firing').map(({ hold }) => hold)
    if (holds.includes('error')) return text('frozenError')
    if (holds.includes('no-data') || holds.length === 0) return text('frozenNoData')
    return text(holds.includes('excluded') ? 'frozenExcluded' : 'frozenNoTraffic')
  }
}

/** English sentences begin with a capital; other scripts are left alone. */
function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
