// A metric over time: its series are looked up by labels, put into groups, and one statement per kind of data answers by
// step and group.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { MetricFunction, MetricQueryReply, MetricSeries } from '../http/schemas.ts'
import { iso, type TimeRange } from '../time-range.ts'
import { bucketQuantile, explicitBuckets, type Bucket } from './bucket-quantile.ts'
import { bucketsOf, expIncreases } from './exp-histogram.ts'
import { metricSeries, type Labels } from './metrics.ts'

/** Why a question cannot be answered; the place is a parameter of the request. */
export type Unanswerable = { readonly place: string; readonly message: string }

export type MetricQuestion = {
  readonly metric: string
  readonly range: TimeRange
  readonly stepMs: number
  readonly labels: Labels
  /** Which of the series that carry the labels; all by default. */
  readonly isAsked?: (series: MetricSeries) => boolean
  readonly by: readonly string[]
  readonly fn: MetricFunction
}

/** Series that one answer may read. */
export const SERIES_MAX = 2000
/** Series among which some are chosen. */
const SEEN_MAX = 200_000
/** Points that one answer may hold. */
export const POINTS_MAX = 100_000
const ROWS_MAX = 200_000
const EXP_ROWS_MAX = 50_000
// A counter is read from so far before the range: five scrapes of a minute.
const LOOK_BACK_MS = 300_000
const QUANTILES: Readonly<Partial<Record<MetricFunction, number>>> = { p50: 0.5, p95: 0.95, p99: 0.99 }

const number = z.coerce.number()
const numbers = z.array(z.coerce.number())
const ids = z.array(z.string())
const which = { metric: z.string(), ids, overflow: ids }
const stepped = { ...which, groups: ids, from: number, to: number, step: number }
const grown = { ...stepped, since: number, is_delta: number, is_monotonic: number }
const at = { grp: number, at: number }
const value = z.number().nullable()

const values = statement(
  new URL('./metric-values.sql', import.meta.url),
  z.object(stepped),
  z.object({ ...at, avg: value, min: value, max: value, last: value, sum: value }),
)
const increase = statement(
  new URL('./metric-increase.sql', import.meta.url),
  z.object(grown),
  z.object({ ...at, increase: value }),
)
const histogram = statement(
  new URL('./metric-histogram.sql', import.meta.url),
  z.object(grown),
  z.object({
    ...at,
    bounds: z.array(z.number().nullable()),
    buckets: numbers,
    count: number,
    sum: value,
    least: value,
    most: value,
    with_min: number,
    with_max: number,
  }),
)
const expHistogram = statement(
  new URL('./metric-exp-histogram.sql', import.meta.url),
  z.object({ ...which, since: number, to: number }),
  z.object({
    id: z.string(),
    at: number,
    started: number,
    count: number,
    sum: value,
    min: value,
    max: value,
    scale: z.number(),
    zero_count: number,
    pos_offset: z.number(),
    pos: numbers,
    neg_offset: z.number(),
    neg: numbers,
  }),
)
const summary = statement(
  new URL('./metric-summary.sql', import.meta.url),
  z.object({ metric: z.string(), ids, from: number, to: number, step: number }),
  z.object({ id: z.string(), at: number, quantiles: z.array(z.number()), vals: z.array(value) }),
)

type Points = Map<number, number | null>
type Class = Pick<MetricSeries, 'kind' | 'temporality' | 'isMonotonic'>

/** @returns the answer, or why there is none */
export async function metricQuery(
  store: Store,
  question: MetricQuestion,
): Promise<MetricQueryReply | Unanswerable> {
  const { metric, range, stepMs, labels, isAsked, by, fn } = question
  const found = (
    await metricSeries(store, metric, labels, range.fromMs, isAsked === undefined ? SERIES_MAX + 1 : SEEN_MAX)
  ).filter((one) => isAsked === undefined || isAsked(one))
  if (found.length > SERIES_MAX) {
    return { place: 'label', message: `more than ${SERIES_MAX} series; name labels that leave fewer` }
  }
  const isGrowth = fn === 'rate' || fn === 'increase' || fn in QUANTILES
  // Counters of many senders under one series never stop resetting; what they add up to is not known.
  const asked = found.filter(
    ({ isOverflow, temporality, kind }) =>
      !(isOverflow && temporality === 'cumulative' && (isGrowth || kind === 'histogram')),
  )
  const groups = groupsOf(asked, by)
  const steps = Math.ceil((range.toMs - range.fromMs) / stepMs) + 1
  if (groups.labels.length * steps > POINTS_MAX) {
    return {
      place: 'stepSeconds',
      message: `more than ${POINTS_MAX} points; take a wider step, or fewer groups`,
    }
  }
  const answers = groups.labels.map((): Points => new Map())
  for (const members of Map.groupBy(
    asked,
    (one) => `${one.kind}/${one.temporality}/${one.isMonotonic}`,
  ).values()) {
    const [first] = members
    if (first === undefined) continue
    const problem = await answerClass(store, question, members, first, groups.of, answers)
    if (problem !== undefined) return problem
  }
  return {
    metric,
    function: fn,
    from: iso(range.fromMs),
    to: iso(range.toMs),
    stepSeconds: stepMs / 1000,
    unit: found[0]?.unit ?? '',
    hasOverflow: found.some(({ isOverflow }) => isOverflow),
    series: groups.labels.map((group, index) => ({
      labels: group,
      points: [...(answers[index] ?? [])]
        .sort(([a], [b]) => a - b)
        .map(([ms, result]) => ({ at: iso(ms), value: result })),
    })),
  }
}

type Groups = { readonly labels: readonly Labels[]; readonly of: ReadonlyMap<string, number> }

function groupsOf(series: readonly MetricSeries[], by: readonly string[]): Groups {
  const labels: Labels[] = []
  const known = new Map<string, number>()
  const of = new Map<string, number>()
  for (const one of series) {
    const group = Object.fromEntries(by.map((key) => [key, one.labels[key] ?? '']))
    const name = JSON.stringify(group)
    let index = known.get(name)
    if (index === undefined) {
      index = labels.length
      labels.push(group)
      known.set(name, index)
    }
    of.set(one.id, index)
  }
  return { labels, of }
}

/** Series of one kind of data; what they come to is added to the groups' points. */
async function answerClass(
  store: Store,
  { metric, range, stepMs, fn }: MetricQuestion,
  members: readonly MetricSeries[],
  { kind, temporality, isMonotonic }: Class,
  groupOf: ReadonlyMap<string, number>,
  answers: readonly Points[],
): Promise<Unanswerable | undefined> {
  const quantile = QUANTILES[fn]
  const seconds = stepMs / 1000
  const step = {
    metric,
    ids: members.map(({ id }) => id),
    groups: members.map(({ id }) => String(groupOf.get(id) ?? 0)),
    overflow: members.filter(({ isOverflow }) => isOverflow).map(({ id }) => id),
    from: range.fromMs,
    to: range.toMs,
    step: stepMs,
  }
  const growth = {
    ...step,
    since: range.fromMs - Math.max(LOOK_BACK_MS, stepMs),
    is_delta: temporality === 'delta' ? 1 : 0,
    is_monotonic: isMonotonic || kind === 'summary' ? 1 : 0,
  }
  const heavy = { lane: 'heavy' } as const
  const put = (group: number, ms: number, result: number | null) => void answers[group]?.set(ms, result)
  const add = (group: number, ms: number, result: number | null) =>
    put(group, ms, result === null ? null : (answers[group]?.get(ms) ?? 0) + result)
  const tooMany = (rows: number, max: number): Unanswerable | undefined =>
    rows > max
      ? {
          place: 'stepSeconds',
          message: 'too much to read; take a wider step, a shorter range, or name labels',
        }
      : undefined

  switch (kind) {
    case 'gauge':
    case 'sum': {
      if (quantile !== undefined) return wrongFunction(kind, 'avg, min, max, last, sum, rate, increase')
      if (fn === 'rate' || fn === 'increase' || (fn === 'sum' && temporality === 'delta')) {
        if (kind === 'gauge') return wrongFunction(kind, 'avg, min, max, last, sum')
        const rows = await store.ask(increase, growth, heavy)
        for (const row of rows)
          add(row.grp, row.at, fn === 'rate' ? over(row.increase, seconds) : row.increase)
        return tooMany(rows.length, ROWS_MAX)
      }
      const rows = await store.ask(values, step, heavy)
      for (const row of rows) {
        if (fn === 'sum') add(row.grp, row.at, row.sum)
        else if (fn === 'avg' || fn === 'min' || fn === 'max' || fn === 'last') put(row.grp, row.at, row[fn])
      }
      return tooMany(rows.length, ROWS_MAX)
    }
    case 'summary': {
      if (quantile !== undefined) {
        if (members.length > answers.length) {
          return {
            place: 'by',
            message:
              'quantiles of several summaries cannot be merged; name labels that leave one in each group',
          }
        }
        const rows = await store.ask(
          summary,
          { metric, ids: step.ids, from: step.from, to: step.to, step: stepMs },
          heavy,
        )
        for (const row of rows) {
          put(groupOf.get(row.id) ?? 0, row.at, row.vals[row.quantiles.indexOf(quantile)] ?? null)
        }
        return tooMany(rows.length, ROWS_MAX)
      }
      if (fn !== 'rate' && fn !== 'increase') return wrongFunction(kind, 'rate, increase, p50, p95, p99')
      const rows = await store.ask(increase, growth, heavy)
      for (const row of rows) add(row.grp, row.at, fn === 'rate' ? over(row.increase, seconds) : row.increase)
      return tooMany(rows.length, ROWS_MAX)
    }
    case 'histogram': {
      if (fn === 'last') return wrongFunction(kind, OF_DISTRIBUTIONS)
      const rows = await store.ask(histogram, growth, heavy)
      const cells = Map.groupBy(rows, (row) => `${row.grp}/${row.at}`)
      for (const cell of cells.values()) {
        const [{ grp, at: ms }] = cell as [(typeof cell)[number]]
        const buckets = cell.flatMap((row) =>
          explicitBuckets(
            row.bounds.map((bound) => bound ?? 0),
            row.buckets,
          ),
        )
        const observations = cell.reduce((sum, row) => sum + row.count, 0)
        const total = cell.reduce((sum, row) => sum + (row.sum ?? 0), 0)
        const least = cell.filter((row) => row.with_min > 0).map((row) => row.least ?? 0)
        const most = cell.filter((row) => row.with_max > 0).map((row) => row.most ?? 0)
        const result = ofDistribution(fn, { buckets, observations, total, least, most, seconds })
        if (isAdded(fn)) add(grp, ms, result)
        else put(grp, ms, result)
      }
      return tooMany(rows.length, ROWS_MAX)
    }
    case 'exp_histogram': {
      if (fn === 'last') return wrongFunction(kind, OF_DISTRIBUTIONS)
      const rows = await store.ask(
        expHistogram,
        { metric, ids: step.ids, overflow: step.overflow, since: growth.since, to: step.to },
        heavy,
      )
      if (rows.length > EXP_ROWS_MAX) return tooMany(rows.length, EXP_ROWS_MAX)
      const points = rows.map(({ zero_count, pos_offset, neg_offset, ...row }) => ({
        ...row,
        zeroCount: zero_count,
        posOffset: pos_offset,
        negOffset: neg_offset,
      }))
      const inRange = expIncreases(points, temporality === 'delta', growth.since).filter(
        (grew) => grew.at >= range.fromMs,
      )
      const cells = Map.groupBy(
        inRange,
        (grew) => `${groupOf.get(grew.id) ?? 0}/${Math.floor(grew.at / stepMs) * stepMs}`,
      )
      const rowsAt = Map.groupBy(
        rows,
        (row) => `${groupOf.get(row.id) ?? 0}/${Math.floor(row.at / stepMs) * stepMs}`,
      )
      for (const [cell, growths] of cells) {
        const [grp, ms] = cell.split('/').map(Number) as [number, number]
        const observations = growths.reduce((sum, grew) => sum + grew.count, 0)
        const total = growths.reduce((sum, grew) => sum + grew.sum, 0)
        const buckets = growths.flatMap(bucketsOf)
        const least = (rowsAt.get(cell) ?? []).flatMap(({ min }) => min ?? [])
        const most = (rowsAt.get(cell) ?? []).flatMap(({ max }) => max ?? [])
        const result = ofDistribution(fn, { buckets, observations, total, least, most, seconds })
        if (isAdded(fn)) add(grp, ms, result)
        else put(grp, ms, result)
      }
      return undefined
    }
    default:
      throw new Error(`no such kind: ${String(kind)}`)
  }
}

const OF_DISTRIBUTIONS = 'avg, min, max, sum, rate, increase, p50, p95, p99'
const isAdded = (fn: MetricFunction) => fn === 'rate' || fn === 'increase' || fn === 'sum'
const over = (amount: number | null, seconds: number) => (amount === null ? null : amount / seconds)

type Distribution = {
  readonly buckets: readonly Bucket[]
  readonly observations: number
  readonly total: number
  readonly least: readonly number[]
  readonly most: readonly number[]
  readonly seconds: number
}

/** What a step's observations come to; null where there is none, because no evidence is not zero. */
function ofDistribution(fn: MetricFunction, given: Distribution): number | null {
  const { buckets, observations, total, least, most, seconds } = given
  switch (fn) {
    case 'rate':
      return observations / seconds
    case 'increase':
      return observations
    case 'sum':
      return total
    case 'min':
      return least.length === 0 ? null : Math.min(...least)
    case 'max':
      return most.length === 0 ? null : Math.max(...most)
    case 'avg':
    case 'last':
      return observations === 0 ? null : total / observations
    case 'p50':
    case 'p95':
    case 'p99':
      return bucketQuantile(QUANTILES[fn] ?? 0.5, buckets) ?? null
    default:
      throw new Error(`no such function: ${String(fn)}`)
  }
}

function wrongFunction(kind: string, possible: string): Unanswerable {
  return { place: 'function', message: `is not known of a ${kind}; possible: ${possible}` }
}
