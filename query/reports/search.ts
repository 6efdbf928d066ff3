// Spans by what they carry, newest first. Looks at the newest time first and goes back in longer and longer steps
// until it has enough, so that a common match costs little; a value that the store has a filter for is looked up in
// one go. Which conditions a question becomes is decided here; every value binds.

import { z } from 'zod'
import { PROMOTED } from '../../ingest/store/promoted.ts'
import { sqlMillisecond, statement, StoreError, type Store } from '../../ingest/store/store.ts'
import { Outcome, SPAN_KINDS, type FoundSpan } from '../http/schemas.ts'
import type { TimeRange } from '../time-range.ts'
import { isoNanoseconds } from './trace.ts'

/** What a span must be; what is absent does not matter. */
export type SpanQuery = {
  readonly service?: string | undefined
  readonly version?: string | undefined
  readonly operation?: string | undefined
  readonly outcome?: string | undefined
  readonly channel?: string | undefined
  readonly region?: string | undefined
  readonly minDurationMs?: number | undefined
  readonly maxDurationMs?: number | undefined
  /** All of them; on the span, or on its resource when the key has no filter. */
  readonly attributes: readonly { readonly key: string; readonly value: string }[]
}

type Bindings = Record<string, string | number>
export type Conditions = {
  /** What the store has filters for: one small column that is read before any other. */
  readonly first: readonly string[]
  readonly sql: readonly string[]
  readonly bindings: Readonly<Bindings>
}

const search = statement(
  new URL('./search.sql', import.meta.url),
  z.record(z.string(), z.union([z.string(), z.number()])),
  z.object({
    trace: z.string(),
    span: z.string(),
    service: z.string(),
    version: z.string(),
    operation: z.string(),
    kind: z.number(),
    outcome: Outcome,
    start_ns: z.coerce.bigint(),
    duration_ns: z.coerce.number(),
  }),
)

const MINUTE_MS = 60_000
/** How far back each step goes, counted from the end of the range; the last step takes what is left. */
const STEPS_MS = [MINUTE_MS / 2, 5 * MINUTE_MS, 60 * MINUTE_MS, 720 * MINUTE_MS]
const SECONDS_MAX = 8
// No stored span starts outside (DECISIONS.md, 13).
const OLDEST_MS = Date.UTC(2000, 0, 1)
const AHEAD_MS = 2 * 1440 * MINUTE_MS
const TXN_ID = 'bank.txn.id'
const EQUALS = ['service', 'version', 'operation', 'outcome', 'channel', 'region'] as const

/** @returns SQL conditions for a question, and what binds in them */
export function searchConditions(query: SpanQuery, searchKeys: readonly string[]): Conditions {
  const first: string[] = []
  const sql: string[] = []
  const bindings: Bindings = {}
  for (const column of EQUALS) {
    const value = query[column]
    if (value === undefined) continue
    sql.push(`${column} = {${column}:String}`)
    bindings[column] = value
  }
  if (query.minDurationMs !== undefined) {
    sql.push('duration_ns >= {minNs:UInt64}')
    bindings['minNs'] = Math.ceil(query.minDurationMs * 1e6)
  }
  if (query.maxDurationMs !== undefined) {
    sql.push('duration_ns <= {maxNs:UInt64}')
    bindings['maxNs'] = Math.floor(query.maxDurationMs * 1e6)
  }
  query.attributes.forEach(({ key, value }, index) => {
    const k = `{k${index}:String}`
    const v = `{v${index}:String}`
    bindings[`v${index}`] = value
    const promoted = PROMOTED.find(({ keys }) => keys[0] === key)
    if (promoted !== undefined) {
      const { column } = promoted
      if (column === 'http_status') sql.push(`http_status != 0 AND toString(http_status) = ${v}`)
      else (key === TXN_ID ? first : sql).push(`${column} = ${v}`)
      return
    }
    bindings[`k${index}`] = key
    const isValue = `has(attr_k, ${k}) AND attr_v[indexOf(attr_k, ${k})] = ${v}`
    if (searchKeys.includes(key)) {
      first.push(`has(search_items, sipHash64(${k}, ${v}))`)
      sql.push(isValue)
    } else
      sql.push(
        // Whether the value is there at all is told a quarter faster than whether it is the key's.
        `((has(attr_v, ${v}) AND ${isValue}) OR res_id IN (SELECT res_id FROM resources WHERE has(attr_k, ${k}) AND attr_v[indexOf(attr_k, ${k})] = ${v}))`,
      )
  })
  return { first, sql, bindings }
}

/** @returns disjoint ranges that cover the whole, newest first, each reaching further back */
export function searchSteps({ fromMs, toMs }: TimeRange): TimeRange[] {
  const starts = [...STEPS_MS.map((ms) => toMs - ms).filter((start) => start > fromMs), fromMs]
  return starts.map((start, index) => ({ fromMs: start, toMs: starts[index - 1] ?? toMs }))
}

/**
 * @param limit       spans at most
 * @param searchKeys  keys that the store has filters for, beside bank.txn.id
 * @param now         wall clock, ms
 * @throws StoreError busy when the time in the engine is up
 */
export async function searchSpans(
  store: Store,
  range: TimeRange,
  query: SpanQuery,
  limit: number,
  searchKeys: readonly string[],
  now: () => number,
): Promise<FoundSpan[]> {
  const { first, sql, bindings } = searchConditions(query, searchKeys)
  const conditions = sql.map((condition) => `\n  AND ${condition}`).join('')
  const isFiltered = first.length > 0
  // Left to itself the engine reads the attributes of every granule that a filter lets through first.
  const prewhere = isFiltered ? `PREWHERE ${first.join(' AND ')}\n` : ''
  const question = {
    ...search,
    sql: search.sql
      .replace('\nORDER BY', () => `${conditions}\nORDER BY`)
      .replace('\nWHERE ', () => `\n${prewhere}WHERE `),
  }
  const startedMs = now()
  const deadlineMs = startedMs + SECONDS_MAX * 1000
  const stored = {
    fromMs: Math.max(range.fromMs, OLDEST_MS),
    toMs: Math.min(range.toMs, startedMs + AHEAD_MS),
  }
  const found: FoundSpan[] = []
  if (stored.fromMs >= stored.toMs) return found
  for (const step of isFiltered ? [stored] : searchSteps(stored)) {
    const secondsMax = Math.ceil((deadlineMs - now()) / 1000)
    if (secondsMax <= 0) throw tooLong()
    const parameters = {
      ...bindings,
      from: sqlMillisecond(step.fromMs),
      to: sqlMillisecond(step.toMs),
      limit: limit - found.length,
    }
    const rows = await store
      .ask(question, parameters, { lane: 'heavy', secondsMax })
      .catch((error: unknown) => {
        throw error instanceof StoreError && error.engineCode === TIMEOUT_EXCEEDED ? tooLong(error) : error
      })
    found.push(
      ...rows.map(({ trace, span, kind, start_ns, duration_ns, ...row }) => ({
        traceId: trace,
        spanId: span,
        ...row,
        kind: SPAN_KINDS[kind] ?? ('UNSPECIFIED' as const),
        startAt: isoNanoseconds(start_ns),
        durationMs: duration_ns / 1e6,
      })),
    )
    if (found.length >= limit) break
  }
  return found
}

// ClickHouse src/Common/ErrorCodes.cpp
const TIMEOUT_EXCEEDED = 159

function tooLong(cause?: unknown): StoreError {
  return new StoreError(
    'SURETY_STORE_BUSY',
    `The search was ended after ${SECONDS_MAX} s: take a shorter range, name the service, or have the attribute in SURETY_SEARCH_KEYS`,
    TIMEOUT_EXCEEDED,
    cause,
  )
}
