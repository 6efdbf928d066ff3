// Derives what can only be known after the rows are in: who called whom, and what traces met, by minute; requests by hour. Each bucket is derived
// whole from the rows that are there, and again when later batches bring rows of it; the newest derivation counts
// (schema/0013_derivations.sql), so doing it twice, or dying in between, changes nothing.
//
// States of a bucket: open → due (its end and the delay have passed, no batch touches it) → derived → due again when a
// batch touches it.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { NO_TRACES, type OwnTraces } from '../runtime/own-traces.ts'
import { PROMOTED } from '../store/promoted.ts'
import { keepMinute, type MinuteTable } from './minute-questions.ts'
import { sqlMillisecond, statement, StoreError, type Store } from '../store/store.ts'

export interface Deriver {
  /** Derives what is due now, newest first, within the bounds; what is left over from long ago comes last and gets less time. @returns buckets derived, by table */
  tick(): Promise<Readonly<Record<Derived, number>>>
  /** Keeps which attribute values lately started spans carry, unless it did within the last five minutes. */
  sampleAttributes(): Promise<void>
  /** Ticks until closed. */
  start(): void
  close(): Promise<void>
}

/** `trace_paths_1m` stands for the three tables of MINUTE_QUESTIONS: they are derived together and have one number. */
export type Derived = 'service_edges_1m' | 'trace_paths_1m' | 'requests_1h'

export type DeriverParts = {
  readonly store: Pick<Store, 'ask'>
  readonly clock: Clock
  readonly logger: Logger
  /** Runs work while nobody rewrites the tables it reads. */
  readonly beside: <T>(work: () => Promise<T>) => Promise<T>
  /** Minutes older than this are on their way out; hours are not made of them. */
  readonly requests1mDays: number
  readonly traces?: OwnTraces
}

const count = z.coerce.number()
const due = statement(
  new URL('./due-buckets.sql', import.meta.url),
  z.object({
    name: z.string(),
    step: z.number(),
    since: z.string(),
    now: z.number(),
    delay: z.number(),
    settle: z.number(),
    again: z.number(),
    limit: z.number(),
  }),
  z.object({ at: count, touching: count, last: count }),
)
const hoursWithout = statement(
  new URL('./hours-without.sql', import.meta.url),
  z.object({ before: z.number() }),
  z.object({ at: count, touching: count, last: count }),
)
const bucket = { from: z.number().int(), derivation: z.number().int() }
const serviceEdges = statement(
  new URL('./service-edges.sql', import.meta.url),
  z.object({ ...bucket, slice: z.number().int(), slices: z.number().int() }),
  z.never(),
)
const keeping = (table: MinuteTable) => ({ ...serviceEdges, name: `${table}.sql`, sql: keepMinute(table) })
const traceMinutes = [
  keeping('trace_failures_1m'),
  keeping('instance_requests_1m'),
  keeping('trace_paths_1m'),
] as const
const requests1h = statement(
  new URL('./requests-1h.sql', import.meta.url),
  z.object({ ...bucket, slice: z.number().int(), slices: z.number().int() }),
  z.never(),
)
const hourRows = statement(
  new URL('./hour-rows.sql', import.meta.url),
  z.object({ from: z.number().int() }),
  z.object({ rows: count }),
)
const serviceRequests1h = statement(
  new URL('./service-requests-1h.sql', import.meta.url),
  z.object(bucket),
  z.never(),
)
const markDerived = statement(
  new URL('./mark-derived.sql', import.meta.url),
  z.object({
    name: z.string(),
    bucket: z.number().int(),
    derivation: z.number().int(),
    at: z.number().int(),
  }),
  z.never(),
)

const attributeValues = statement(
  new URL('./attribute-values.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string(), sample: z.number().int() }),
  z.never(),
)
const spansLately = statement(
  new URL('./spans-lately.sql', import.meta.url),
  z.object({ since: z.string() }),
  z.object({ spans: count }),
)
// Attributes that have a column are suggested too; a transaction's number is never the same twice.
const SUGGESTED = PROMOTED.filter(({ column }) => column !== 'txn_id')
const textOf = (column: string) =>
  column === 'http_status' ? `if(${column} = 0, '', toString(${column}))` : `toString(${column})`
const attributeSample = {
  ...attributeValues,
  sql: attributeValues.sql
    .replaceAll(/^--.*$/gm, '')
    .replace('PROMOTED_KEYS', () => `[${SUGGESTED.map(({ keys }) => `'${keys[0]}'`).join(', ')}]`)
    .replace('PROMOTED_VALUES', () => `[${SUGGESTED.map(({ column }) => textOf(column)).join(', ')}]`),
}
const QUESTIONS = {
  service_edges_1m: [serviceEdges],
  trace_paths_1m: traceMinutes,
  requests_1h: [requests1h],
} as const satisfies Record<Derived, readonly (typeof requests1h)[]>
const TICK_MS = 15_000
/** Attribute values are sampled this often, from spans that started since the last time and a little before. */
const SAMPLE_EVERY_MS = 300_000
const SAMPLE_BEFORE_MS = 60_000
const SAMPLE_SPANS_MAX = 100_000
/** A tick that has worked this long leaves the rest to the next. */
const TICK_WORK_MS = 30_000
const STATEMENT_SECONDS_MAX = 15
/** Minutes that ended longer ago are left over (a start, recorded data): they get so long of a tick, after what is new. */
const LEFT_OVER_MS = 15 * 60_000
const LEFT_OVER_WORK_MS = 8000
const MINUTES_PER_TICK_MAX = 60
const HOURS_PER_TICK_MAX = 24
/** Spans of one slice of a minute: the join holds its answers in memory, about 100 bytes each. */
const SLICE_SPANS_MAX = 2_000_000
/**
 * Spans of one slice of a minute of traces: the paths of its traces and the ids of its spans are held in memory, some 250 bytes each.
 * Every slice reads the whole minute, so that three cost three times as much as one.
 */
const SLICE_TRACED_SPANS_MAX = 1_500_000
/** Rows of minutes in one slice of an hour: a state takes 8 to 25 µs of CPU, and a dense hour has 1.6 million. */
const SLICE_ROWS_MAX = 100_000
const SLICES_MAX = 256
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** How far back batches are looked at: after a start or with work left over, then when all is derived. */
const LOOK_BACK_BEHIND_MS = 2 * DAY_MS
const LOOK_BACK_MS = 2 * HOUR_MS

const slicesOf = (size: number, sliceMax: number) =>
  Math.max(1, Math.min(SLICES_MAX, Math.ceil(size / sliceMax)))

export function buildDeriver(parts: DeriverParts): Deriver {
  const { store, clock, logger, beside, requests1mDays, traces = NO_TRACES } = parts
  const closing = new AbortController()
  let running: Promise<void> | undefined
  let isBehind = true
  let sampledMs: number | undefined
  let hoursLeft: { at: number; touching: number; last: number }[] | undefined
  let tickedMs: number | undefined

  async function tick(): Promise<Record<Derived, number>> {
    const startedMs = clock.now()
    // From the last look on, however far the clock was set forward since, or the machine slept.
    const sinceMs =
      Math.min(startedMs, tickedMs ?? startedMs) - (isBehind ? LOOK_BACK_BEHIND_MS : LOOK_BACK_MS)
    const asked = {
      now: startedMs / 1000,
      since: new Date(sinceMs).toISOString().slice(0, 23).replace('T', ' '),
    }
    const minutes = await store.ask(
      due,
      {
        ...asked,
        name: 'service_edges_1m',
        step: 60,
        delay: 30,
        settle: 20,
        again: 300,
        limit: MINUTES_PER_TICK_MAX,
      },
      { lane: 'heavy' },
    )
    // Sooner than calls, because a fault is explained from them: a minute that is not derived is asked straight from spans.
    const traced = await store.ask(
      due,
      {
        ...asked,
        name: 'trace_paths_1m',
        step: 60,
        delay: 10,
        settle: 8,
        again: 45,
        limit: MINUTES_PER_TICK_MAX,
      },
      { lane: 'heavy' },
    )
    const hours = await store.ask(
      due,
      {
        ...asked,
        name: 'requests_1h',
        step: 3600,
        delay: 120,
        settle: 60,
        again: 600,
        limit: HOURS_PER_TICK_MAX,
      },
      { lane: 'heavy' },
    )
    hoursLeft ??= await store.ask(
      hoursWithout,
      { before: Math.floor((startedMs - 120_000) / 1000) },
      { lane: 'heavy', secondsMax: STATEMENT_SECONDS_MAX },
    )
    const known = new Set(hours.map(({ at }) => at))
    const oldestHour = (startedMs - requests1mDays * DAY_MS + 2 * HOUR_MS) / 1000
    const wanted = [...hours, ...hoursLeft.filter(({ at }) => !known.has(at))].filter(
      ({ at }) => at >= oldestHour,
    )

    const mayGoOn = () => Math.abs(clock.now() - startedMs) < TICK_WORK_MS && !closing.signal.aborted
    const derived: Record<Derived, number> = { service_edges_1m: 0, trace_paths_1m: 0, requests_1h: 0 }
    const ofMinutes = [
      { table: 'trace_paths_1m', due: traced, sliceMax: SLICE_TRACED_SPANS_MAX },
      { table: 'service_edges_1m', due: minutes, sliceMax: SLICE_SPANS_MAX },
    ] as const
    const isNew = ({ at }: { readonly at: number }) => at * 1000 >= startedMs - LEFT_OVER_MS
    for (const { table, due: found, sliceMax } of ofMinutes) {
      for (const { at, touching, last } of found.filter(isNew)) {
        if (!mayGoOn()) break
        await derive(table, at, last, slicesOf(touching, sliceMax))
        derived[table] += 1
      }
    }
    // Oldest first: what long ranges take from hours then has no gap before its newest.
    for (const { at, last } of wanted.toSorted((a, b) => a.at - b.at)) {
      if (!mayGoOn()) break
      // Not by the spans of the batches that touch it: a late batch of ten makes a dense hour due.
      const [minuteRows] = await store.ask(hourRows, { from: at }, { lane: 'heavy' })
      await derive('requests_1h', at, last, slicesOf(minuteRows?.rows ?? 0, SLICE_ROWS_MAX))
      hoursLeft = hoursLeft.filter((hour) => hour.at !== at)
      derived.requests_1h += 1
    }
    const leftOverMs = clock.now()
    const mayGoBack = () => mayGoOn() && Math.abs(clock.now() - leftOverMs) < LEFT_OVER_WORK_MS
    for (const { table, due: found, sliceMax } of ofMinutes) {
      for (const { at, touching, last } of found.filter((one) => !isNew(one))) {
        if (!mayGoBack()) break
        await derive(table, at, last, slicesOf(touching, sliceMax))
        derived[table] += 1
      }
    }
    isBehind =
      derived.service_edges_1m < minutes.length ||
      derived.trace_paths_1m < traced.length ||
      traced.length === MINUTES_PER_TICK_MAX ||
      derived.requests_1h < wanted.length ||
      minutes.length === MINUTES_PER_TICK_MAX ||
      hours.length === HOURS_PER_TICK_MAX
    tickedMs = startedMs
    return derived
  }

  /** What spans of the last minutes carry, when it is time. */
  async function sampleAttributes(): Promise<void> {
    const toMs = clock.now()
    const fromMs = (sampledMs ?? toMs - SAMPLE_EVERY_MS) - SAMPLE_BEFORE_MS
    if (sampledMs !== undefined && Math.abs(toMs - sampledMs) < SAMPLE_EVERY_MS) return
    const options = { lane: 'heavy', secondsMax: STATEMENT_SECONDS_MAX } as const
    const [came] = await store.ask(spansLately, { since: sqlMillisecond(fromMs) }, options)
    const sample = Math.max(1, Math.ceil((came?.spans ?? 0) / SAMPLE_SPANS_MAX))
    if (came?.spans !== 0) {
      const asked = { from: sqlMillisecond(fromMs), to: sqlMillisecond(toMs), sample }
      await store.ask(attributeSample, asked, options)
    }
    sampledMs = toMs
  }

  /** One bucket, all of it; the row in `derivations` comes last and makes it count. */
  function derive(name: Derived, from: number, last: number, slices: number): Promise<void> {
    const work = async () => {
      const at = clock.now()
      // A later one always has the higher number, wherever the clock was set meanwhile.
      const derivation = Math.max(at, last + 1)
      const options = { lane: 'heavy', secondsMax: STATEMENT_SECONDS_MAX } as const
      for (let slice = 0; slice < slices; slice += 1) {
        for (const question of QUESTIONS[name])
          await store.ask(question, { from, derivation, slice, slices }, options)
      }
      if (name === 'requests_1h') await store.ask(serviceRequests1h, { from, derivation }, options)
      await store.ask(markDerived, { name, bucket: from, derivation, at }, options)
    }
    return traces.aftermath(`derive ${name}`, { 'surety.bucket': from }, () => beside(work))
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await tick()
        await sampleAttributes()
      } catch (error) {
        // What is due stays due; the next tick tries again.
        const code = error instanceof StoreError ? error.code : undefined
        logger.warn({ err: error, code }, 'derived tables are behind; trying again')
      }
      await sleep(TICK_MS, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  return {
    tick,
    sampleAttributes,
    start: () => void (running ??= run()),
    async close() {
      closing.abort()
      await running
    },
  }
}
