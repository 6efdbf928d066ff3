// Which metrics there are, their series by labels, their exemplars, and what is over the bound.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { MetricExemplar, MetricItem, MetricSeries } from '../http/schemas.ts'
import { iso, sqlSecond, type TimeRange } from '../time-range.ts'

const count = z.coerce.number()
const Kind = z.enum(['gauge', 'sum', 'histogram', 'exp_histogram', 'summary'])
const Temporality = z.enum(['none', 'delta', 'cumulative'])

const names = statement(
  new URL('./metric-names.sql', import.meta.url),
  z.object({ prefix: z.string(), from: z.string(), limit: z.number() }),
  z.object({
    metric: z.string(),
    kind: Kind,
    temporality: Temporality,
    is_monotonic: z.boolean(),
    unit: z.string(),
    description: z.string(),
    series_count: count,
    has_overflow: z.union([z.boolean(), count]),
    last_seen: count,
  }),
)
const series = statement(
  new URL('./metric-series.sql', import.meta.url),
  z.object({
    metric: z.string(),
    from: z.string(),
    keys: z.array(z.string()),
    vals: z.array(z.string()),
    limit: z.number(),
  }),
  z.object({
    id: z.string(),
    kind: Kind,
    temporality: Temporality,
    is_monotonic: z.boolean(),
    is_overflow: z.boolean(),
    unit: z.string(),
    label_k: z.array(z.string()),
    label_v: z.array(z.string()),
    last_seen: count,
  }),
)
const overflow = statement(
  new URL('./metric-overflow.sql', import.meta.url),
  z.object({ from: z.string() }),
  z.object({ metric: z.string(), points: count }),
)
const exemplars = statement(
  new URL('./metric-exemplars.sql', import.meta.url),
  z.object({
    metric: z.string(),
    ids: z.array(z.string()),
    from: z.number(),
    to: z.number(),
    limit: z.number(),
  }),
  z.object({
    id: z.string(),
    at: count,
    at_ns: z.coerce.bigint(),
    value: z.number().nullable(),
    trace: z.string(),
    span: z.string(),
    attr_k: z.array(z.string()),
    attr_v: z.array(z.string()),
  }),
)

/** @param prefix of the name; '' for all */
export async function metricItems(
  store: Store,
  prefix: string,
  fromMs: number,
  limit: number,
): Promise<MetricItem[]> {
  const rows = await store.ask(names, { prefix, from: sqlSecond(fromMs), limit })
  return rows.map((row) => ({
    name: row.metric,
    kind: row.kind,
    temporality: row.temporality,
    isMonotonic: row.is_monotonic,
    unit: row.unit,
    description: row.description,
    series: row.series_count,
    hasOverflow: Boolean(row.has_overflow),
    lastSeenAt: iso(row.last_seen * 1000),
  }))
}

export type Labels = Readonly<Record<string, string>>

/** @returns series that carry all of the labels, at most `limit`, in a stable order */
export async function metricSeries(
  store: Store,
  metric: string,
  labels: Labels,
  fromMs: number,
  limit: number,
): Promise<MetricSeries[]> {
  const rows = await store.ask(series, {
    metric,
    from: sqlSecond(fromMs),
    keys: Object.keys(labels),
    vals: Object.values(labels),
    limit,
  })
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    temporality: row.temporality,
    isMonotonic: row.is_monotonic,
    isOverflow: row.is_overflow,
    unit: row.unit,
    labels: labelsOf(row.label_k, row.label_v),
    lastSeenAt: iso(row.last_seen * 1000),
  }))
}

/** Metrics with an overflow series since an instant, and how many points it holds. */
export function metricOverflow(store: Store, fromMs: number): Promise<{ metric: string; points: number }[]> {
  return store.ask(overflow, { from: sqlSecond(fromMs) }, { lane: 'heavy' })
}

export async function metricExemplars(
  store: Store,
  metric: string,
  ids: readonly string[],
  { fromMs, toMs }: TimeRange,
  limit: number,
): Promise<MetricExemplar[]> {
  const rows = await store.ask(exemplars, { metric, ids: [...ids], from: fromMs, to: toMs, limit })
  return rows.map((row) => ({
    series: row.id,
    at: iso(row.at_ns === 0n ? row.at : Number(row.at_ns / 1_000_000n)),
    value: row.value,
    traceId: /^0+$/.test(row.trace) ? null : row.trace,
    spanId: /^0+$/.test(row.span) ? null : row.span,
    attributes: labelsOf(row.attr_k, row.attr_v),
  }))
}

/** The first of a key counts: what identifies the sender comes first. Labels without a value are left out. */
function labelsOf(keys: readonly string[], values: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>()
  keys.forEach((key, index) => {
    const value = values[index] ?? ''
    if (value !== '' && !labels.has(key)) labels.set(key, value)
  })
  return Object.fromEntries(labels)
}
