// What a window allows to say: an error ratio, or why there is none. Missing telemetry is not good evidence and no
// traffic is neither; what an SLO makes of them is its choice, kept in one place here.

import type { Counts } from './window-figures.ts'

/**
 * What unmeasured time counts as: `freeze` (default) nothing is said below the coverage floor, and gaps count neither
 * way above it; `bad` and `good` count a gap as if it had the mean traffic of the known time; `ignore` goes by what is
 * known, however little.
 */
export type MissingData = 'freeze' | 'bad' | 'good' | 'ignore'

export type JudgedWindow =
  | {
      readonly kind: 'known'
      /** 0–1 */
      readonly errorRatio: number
      readonly bad: number
      readonly total: number
      /** Known ÷ expected, 0–1. */
      readonly coverage: number
    }
  /** Too little is known. */
  | { readonly kind: 'no-data'; readonly coverage: number }
  /** Enough is known, and there was no event. */
  | { readonly kind: 'no-traffic'; readonly coverage: number }
  /** All of it is excluded. */
  | { readonly kind: 'excluded' }

export const COVERAGE_FLOOR = 0.9

/** @param floor  coverage from which a window is judged, 0–1 */
export function judgeWindow(
  counts: Counts,
  missingData: MissingData,
  floor: number = COVERAGE_FLOOR,
): JudgedWindow {
  const { good, total, known, empty, expected } = counts
  if (expected <= 0) return { kind: 'excluded' }
  const coverage = known / expected
  const gap = expected - known
  if (gap > 0 && (missingData === 'bad' || missingData === 'good')) {
    // Without any known time, a gap counts as one event per unit: the ratio is what the choice says.
    const mean = known > 0 ? total / known : 1
    const isAllEmpty = known > 0 && total === 0
    const imputed = gap * (isAllEmpty ? 1 : mean)
    const bad = total - good + (missingData === 'bad' ? imputed : 0)
    return { kind: 'known', errorRatio: bad / (total + imputed), bad, total: total + imputed, coverage }
  }
  if (known === 0 || (missingData !== 'ignore' && coverage < floor)) return { kind: 'no-data', coverage }
  if (total <= 0 || empty === known) return { kind: 'no-traffic', coverage }
  const bad = total - good
  return { kind: 'known', errorRatio: bad / total, bad, total, coverage }
}

/**
 * The same window by another measure where there is too little traffic: a probe's results instead of the traffic's.
 *
 * @param totalMin  events from which traffic speaks for itself
 */
export function trafficOrProbe(
  traffic: JudgedWindow,
  probe: JudgedWindow | undefined,
  totalMin: number,
): { readonly judged: JudgedWindow; readonly by: 'traffic' | 'probe' } {
  const isEnough = traffic.kind === 'known' && traffic.total >= totalMin
  if (isEnough || probe === undefined || probe.kind !== 'known') return { judged: traffic, by: 'traffic' }
  return { judged: probe, by: 'probe' }
}
