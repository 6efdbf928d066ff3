// What a verdict looks at, each with the margin up to which a difference is no harm. Data; the margins are ours.

import type { VERDICT_MEASURES } from '../http/release-schemas.ts'
import type { Counted } from './strata.ts'

export type Measure = (typeof VERDICT_MEASURES)[number]

/** Chance of ever calling a harmless release worse: over all looks, all measures and all widenings of its scope. */
export const ERROR_RATE = 0.01
/** Of the intervals that are told, and of calling a worse release not worse; at all looks, by measure. */
export const INTERVAL_ALPHA = 0.05

export type RatioMeasure = {
  readonly measure: Measure
  readonly counted: Counted
  readonly fault: 'technical' | 'business'
  /** Largest harmless difference of the ratio: `atLeast`, or this part of the control's ratio where that is more. */
  readonly margin: { readonly atLeast: number; readonly part: number }
  readonly en: string
  readonly zh: string
}

export const RATIO_MEASURES: readonly RatioMeasure[] = [
  {
    measure: 'system_error',
    counted: 'systemErrors',
    fault: 'technical',
    margin: { atLeast: 0.005, part: 0.5 },
    en: 'System errors',
    zh: '系统错误',
  },
  {
    measure: 'business_error',
    counted: 'businessErrors',
    fault: 'business',
    margin: { atLeast: 0.005, part: 0.5 },
    en: 'Business errors',
    zh: '业务错误',
  },
  {
    measure: 'shed',
    counted: 'shed',
    fault: 'technical',
    margin: { atLeast: 0.005, part: 0.5 },
    en: 'Shed requests',
    zh: '限流拒绝',
  },
  {
    measure: 'business_reject',
    counted: 'rejects',
    fault: 'business',
    margin: { atLeast: 0.01, part: 0.25 },
    en: 'Business rejects',
    zh: '业务拒绝',
  },
  {
    measure: 'latency',
    counted: 'slow',
    fault: 'technical',
    margin: { atLeast: 0.01, part: 0.5 },
    en: 'Slow requests',
    zh: '慢请求',
  },
]

/** Part of a measure in the error rate; the stages of a release share it as 6 ÷ (π² stage²), which sums to 1. */
export const alphaOf = (measures: number, stage: number): number =>
  (ERROR_RATE / measures) * (6 / (Math.PI * Math.PI * stage * stage))

export const marginOf = ({ atLeast, part }: RatioMeasure['margin'], controlRatio: number): number =>
  Math.max(atLeast, part * controlRatio)

/** Throughput that falls by less is no loss; use per request that grows by less is none either. Parts of what was. */
export const LOST_MARGIN = 0.2
export const RESOURCE_MARGIN = 0.2
