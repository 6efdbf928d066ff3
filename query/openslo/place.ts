// One metric source of an SLI: what it says, and what is wrong with it told at its place.

import type { z } from 'zod'
import { toldOf } from './issues.ts'
import { readEvents, type Read } from './metric-query.ts'
import { shown, type Path, type Tell } from './problem.ts'
import type { MetricSourceV1 } from './schema-v1.ts'
import { SIGNALS, SOURCES, type Signal, type WrittenRequests } from './source-shapes.ts'
import { SOURCE_TYPE, type SourceType } from './source-words.ts'

export type Place = {
  readonly source: MetricSourceV1
  readonly type: SourceType
  /** Of the metric source. */
  readonly path: Path
}

/** Its shape by its signal; what the SLI has no use for is told. */
export function parseSource<Some extends Signal>(
  place: Place,
  fitting: readonly Some[],
  tell: Tell,
): z.infer<(typeof SOURCES)[Some]> | undefined {
  const { signal } = place.source.spec
  const path = [...place.path, 'spec']
  const known = fitting.find((one) => one === signal)
  if (known === undefined) {
    const message =
      signal === undefined
        ? 'is required'
        : `is ${shown(signal)}, which is ${SIGNALS.includes(signal as Signal) ? 'not for this' : 'none'}`
    tell(
      'error',
      signal === undefined ? 'required' : 'source',
      [...path, 'signal'],
      message,
      `take ${fitting.join(', ')}`,
    )
    return undefined
  }
  return parsed(
    SOURCES[known] as unknown as z.ZodType<z.infer<(typeof SOURCES)[Some]>>,
    place.source.spec,
    path,
    tell,
  )
}

export function parsed<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
  path: Path,
  tell: Tell,
): z.infer<Shape> | undefined {
  const result = shape.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  for (const told of toldOf(result.error.issues, shape))
    tell('error', told.code, [...path, ...told.path], told.message, told.remedy)
  return undefined
}

/** The value, or its reason told. A query of Prometheus that is not executed is good OpenSLO: a warning. */
export function taken<Value>(
  read: Read<Value>,
  { path, field, type }: Place & { readonly field?: string },
  tell: Tell,
  severity: 'error' | 'warning' = type === 'surety' ? 'error' : 'warning',
): Value | undefined {
  if ('value' in read) return read.value
  const at = [...path, 'spec', field ?? (type === 'surety' ? 'selector' : 'query')]
  const remedy =
    type === 'surety'
      ? 'write METRIC{label="value"}'
      : `it is kept and not measured; write sum(rate(METRIC{label="value"}[{{.window}}])), or take a source of the type ${SOURCE_TYPE}`
  tell(severity, 'query', at, read.reason, remedy)
  return undefined
}

export function prometheusEvents(place: Place, isCounter: boolean, tell: Tell) {
  const query = queryOf(place, tell)
  const events = query === undefined ? undefined : taken(readEvents(query, isCounter), place, tell)
  if (events?.notes.includes('range-ignored') === true)
    tell(
      'warning',
      'query',
      [...place.path, 'spec', 'query'],
      'has a range of its own; each slice is counted whole instead',
      'write [{{.window}}]',
    )
  return events
}

export function queryOf(place: Place, tell: Tell): string | undefined {
  const { query } = place.source.spec
  if (typeof query === 'string') return query
  tell('warning', 'not-measured', [...place.path, 'spec'], 'has no query', 'say query: with PromQL')
  return undefined
}

export function tellOther({ source, path }: Place, tell: Tell): undefined {
  const what = source.type ?? source.metricSourceRef
  const message = what === undefined ? 'has no type' : `asks «${what}», which Surety does not measure`
  tell(
    'warning',
    'not-measured',
    path,
    message,
    `take a source of the type ${SOURCE_TYPE}, or queries of Prometheus; it is kept as it is`,
  )
  return undefined
}

export function forbidMeasure({ measure }: WrittenRequests, { path }: Place, tell: Tell): void {
  if (measure !== undefined)
    tell(
      'error',
      'source',
      [...path, 'spec', 'measure'],
      'is for thresholdMetric',
      'say withinMs of good, or overMs of bad',
    )
}
