// Types of metric sources that Surety measures itself: requests and metrics it has stored. The spec of a metric source is free in
// OpenSLO, so what it may say is ours to define (source-shapes.ts).

import type { MetricSourceV1 } from './schema-v1.ts'

/** `type` of a metric source that asks Surety's own facts; upper and lower case do not matter. */
export const SOURCE_TYPE = 'Surety'
export type SourceType = 'surety' | 'prometheus' | 'other'

export function sourceTypeOf(type: string | undefined): SourceType {
  const word = (type ?? '').toLowerCase()
  return word === 'surety' || word === 'prometheus' ? word : 'other'
}

/** The SLO that a source of ours stands for, in composites. */
export function sloOf({ type, spec }: MetricSourceV1): string | undefined {
  const { signal, slo } = spec
  return sourceTypeOf(type) === 'surety' && signal === 'slo' && typeof slo === 'string' ? slo : undefined
}
