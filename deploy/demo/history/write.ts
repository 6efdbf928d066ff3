// Writes a history into a store that has none: rollups alone for the older weeks, spans and metrics through the path of
// every message for the newer days, hours, release events.
//
// Phases: rollups → spans → metrics → rest → complete. A phase that a crash interrupted: rollups are taken out and begun
// again; of spans and metrics the one batch that may be half there is completed from its rows (BatchWriter.finish), the
// ones before it are left alone; the rest may be repeated.

import { createHash } from 'node:crypto'
import type { Prepared } from '../../../ingest/pipeline/prepared.ts'
import type { SignalName, SignalPath } from '../../../ingest/pipeline/signal.ts'
import type { ReleaseEventStore } from '../../../ingest/releases/release-event-store.ts'
import type { Clock } from '../../../ingest/runtime/clock.ts'
import type { ReturnCodeRule } from '../../../ingest/store/insert-spans.ts'
import type { Store } from '../../../ingest/store/store.ts'
import { castOf } from './cast.ts'
import { deriveHours } from './hours.ts'
import { buildMetricWriter } from './metrics.ts'
import { releaseRecords } from './past-releases.ts'
import { buildRequestWriter, insertRollups, type RollupTable } from './rollups.ts'
import { buildSpanWriter } from './spans.ts'
import { readHistoryState, writeHistoryState, type HistoryState } from './state.ts'
import type { World } from './world.ts'

export type HistoryParts = {
  readonly store: Pick<Store, 'ask' | 'rows' | 'command' | 'transport'>
  readonly paths: Readonly<Record<SignalName, Pick<SignalPath, 'prepare' | 'writer'>>>
  readonly releases: ReleaseEventStore
  readonly rules: readonly ReturnCodeRule[]
  readonly clock: Clock
  readonly dataDir: string
  /** Days that the store keeps, by table: nothing is written that would be on its way out. */
  readonly retention: {
    readonly spansDays: number
    readonly requests10sDays: number
    readonly requests1mDays: number
    readonly metricsDays: number
  }
}

export type HistoryOrder = {
  readonly world: World
  readonly seed: number
  /** Days of spans and metrics; the rollups before them reach back four times as far. */
  readonly days: number
  /** Where the history ends, ms since 1970; now when not given. */
  readonly endMs?: number
  /** Share done, 0 to 1. */
  readonly onProgress?: (share: number) => void
  /** Asks to stop after the batch that is under way. */
  readonly signal?: AbortSignal
}

/**
 * written   the history is complete now
 * known     it was complete before
 * occupied  the store holds requests that are no history, and keeps them as they are
 * other     a history of another world or seed was begun here
 * stopped   it was asked to stop; the next call goes on
 */
export type HistoryOutcome = {
  readonly kind: 'written' | 'known' | 'occupied' | 'other' | 'stopped'
  /** Written by this call. */
  readonly spans: number
  readonly points: number
  readonly requests: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Rollups reach back so many times the days of spans: 28 days before 7. */
const ROLLUP_TIMES = 4
/** At its end a retention is not used to the last hour: the writing takes time. */
const MARGIN_MS = 2 * HOUR_MS
/** Spans of a batch, about: as an accumulator's. */
const BATCH_SPANS = 60_000
const SPANS_PER_TRACE = 11
const MEAN_SHARE = 0.6
const DAY_DIVISORS = [720, 480, 360, 240, 180, 120, 90, 60, 30, 15, 10, 5, 2]
const METRIC_BATCH_MINUTES = 720
/** What a minute of each phase costs against the others, measured; for the progress alone. */
const COST = { rollups: 1, spans: 3, metrics: 1.1, rest: 0.6 }

/** @throws StoreError, RangeError for a world that contradicts itself */
export async function writeHistory(parts: HistoryParts, order: HistoryOrder): Promise<HistoryOutcome> {
  const { store, clock, dataDir } = parts
  const { world, seed } = order
  const written = { spans: 0, points: 0, requests: 0 }
  const digest = createHash('sha256')
    .update(JSON.stringify([world, seed]))
    .digest('hex')
    .slice(0, 16)
  const known = readHistoryState(dataDir)
  if (known?.phase === 'complete') return { kind: 'known', ...written }
  if (known !== undefined && known.world !== digest) return { kind: 'other', ...written }
  if (known === undefined && (await holdsRequests(store))) return { kind: 'occupied', ...written }
  let state = known ?? plan(digest, order.endMs ?? clock.now(), order.days, parts.retention)
  const isResumed = known !== undefined
  const { fromMs, spansFromMs, endMs } = state
  const cast = castOf(world, endMs)
  const minutes = (ms: number) => ms / MINUTE_MS
  const progress = buildShares(state, order.onProgress)

  async function keep(next: Partial<HistoryState>): Promise<void> {
    state = { ...state, ...next }
    await writeHistoryState(dataDir, state)
  }
  if (!isResumed) await keep({})

  /** Runs a phase's pieces one after the other; the next one is made while the one before is stored. */
  async function each<Made>(
    phase: HistoryState['phase'] & keyof typeof COST,
    pieces: readonly Piece[],
    make: (piece: Piece) => Made,
    put: (made: Made, piece: Piece, mayBeThere: boolean) => Promise<void>,
  ): Promise<boolean> {
    let under: Promise<void> = Promise.resolve()
    const first = state.done
    for (const piece of pieces.slice(first)) {
      const made = make(piece)
      await under
      if (order.signal?.aborted === true) return false
      under = put(made, piece, isResumed && piece.index === first).then(async () => {
        await keep({ done: piece.index + 1 })
        progress(phase, piece.toMs)
      })
      // Awaited with the next piece; until then a failure is not unhandled.
      under.catch(() => undefined)
    }
    await under
    return order.signal?.aborted !== true
  }

  if (state.phase === 'rollups') {
    const tables: readonly RollupTable[] = ['requests_1m', 'service_requests_1m', 'requests_10s']
    if (isResumed) {
      const olderThan = `bucket < toDateTime(${spansFromMs / 1000}, 'UTC')`
      for (const table of tables)
        await store.command(`ALTER TABLE ${table} DELETE WHERE ${olderThan} SETTINGS mutations_sync = 2`)
      state = { ...state, done: 0 }
    }
    const attempt = crypto.randomUUID()
    const makeRows = buildRequestWriter(cast, seed)
    const oldest10sMs = clock.now() - parts.retention.requests10sDays * DAY_MS + MARGIN_MS
    const goesOn = await each(
      'rollups',
      piecesOf(fromMs, spansFromMs, DAY_MS),
      (piece) => makeRows(minutes(piece.fromMs), minutes(piece.toMs), minutes(spansFromMs)),
      async (rows, piece) => {
        const into = tables.filter((table) => table !== 'requests_10s' || piece.fromMs >= oldest10sMs)
        await insertRollups({ ...parts, cast }, rows, into, `history/${digest}/${attempt}/${piece.index}`)
        written.requests += rows.requests
      },
    )
    if (!goesOn) return { kind: 'stopped', ...written }
    await keep({ phase: 'spans', done: 0 })
  }

  async function putBatch(name: SignalName, bytes: Buffer, piece: Piece, mayBeThere: boolean): Promise<void> {
    const path = parts.paths[name]
    const token = `history/${digest}/${name}/${piece.index}`
    const prepared: Prepared = path.prepare(bytes, token)
    if (prepared.deadLetters.length > 0) throw new Error(`the history is refused: ${prepared.rejection}`)
    const identity = { token, door: 'history', patienceMs: Number.POSITIVE_INFINITY }
    const result = await (mayBeThere
      ? path.writer.finish([prepared], identity)
      : path.writer.write([prepared], identity))
    if (result.kind === 'given-up') throw result.error
    if (result.refused.size > 0)
      throw new Error(`the history is refused: ${[...result.refused.values()].join('; ')}`)
  }

  if (state.phase === 'spans') {
    const makeSpans = buildSpanWriter(cast, seed)
    const goesOn = await each(
      'spans',
      piecesOf(spansFromMs, endMs, batchStep(world)),
      (piece) => makeSpans(minutes(piece.fromMs), minutes(piece.toMs)),
      async ({ bytes, spans }, piece, mayBeThere) => {
        await putBatch('traces', bytes, piece, mayBeThere)
        written.spans += spans
      },
    )
    if (!goesOn) return { kind: 'stopped', ...written }
    await keep({ phase: 'metrics', done: 0 })
  }

  if (state.phase === 'metrics') {
    const makeMetrics = buildMetricWriter(cast, seed)
    const goesOn = await each(
      'metrics',
      piecesOf(spansFromMs, endMs, METRIC_BATCH_MINUTES * MINUTE_MS),
      (piece) => makeMetrics(minutes(piece.fromMs), minutes(piece.toMs)),
      async ({ bytes, points }, piece, mayBeThere) => {
        await putBatch('metrics', bytes, piece, mayBeThere)
        written.points += points
      },
    )
    if (!goesOn) return { kind: 'stopped', ...written }
    await keep({ phase: 'rest', done: 0 })
  }

  const records = releaseRecords(
    cast.timeline.changes.filter(({ atMs }) => atMs >= fromMs),
    clock.now(),
  )
  if (records.length > 0) await parts.releases.add(records)
  await deriveHours(store, fromMs, endMs, clock.now())
  await keep({ phase: 'complete', done: 0 })
  progress('rest', endMs)
  return { kind: 'written', ...written }
}

async function holdsRequests(store: Pick<Store, 'rows'>): Promise<boolean> {
  const rows = await store.rows('SELECT 1 FROM requests_1m LIMIT 1')
  return rows.length > 0
}

/** Whole hours at the seams, whole minutes at the end. */
function plan(
  world: string,
  endMs: number,
  days: number,
  { spansDays, requests1mDays, metricsDays }: HistoryParts['retention'],
): HistoryState {
  const hour = (ms: number) => Math.ceil(ms / HOUR_MS) * HOUR_MS
  const rawDays = Math.min(spansDays, metricsDays)
  const spansFromMs = hour(endMs - Math.min(days * DAY_MS, rawDays * DAY_MS - MARGIN_MS))
  const oldestMs = hour(endMs - requests1mDays * DAY_MS + MARGIN_MS)
  const fromMs = Math.min(spansFromMs, Math.max(spansFromMs - ROLLUP_TIMES * days * DAY_MS, oldestMs))
  const wholeEndMs = Math.floor(endMs / MINUTE_MS) * MINUTE_MS
  return { world, fromMs, spansFromMs, endMs: wholeEndMs, phase: 'rollups', done: 0 }
}

type Piece = { readonly index: number; readonly fromMs: number; readonly toMs: number }

/** Pieces that never cross midnight in UTC: partitions are days. @param stepMs divides a day */
function piecesOf(fromMs: number, toMs: number, stepMs: number): Piece[] {
  const first = Math.floor(fromMs / stepMs)
  return Array.from({ length: Math.ceil(toMs / stepMs) - first }, (_, index) => ({
    index,
    fromMs: Math.max(fromMs, (first + index) * stepMs),
    toMs: Math.min(toMs, (first + index + 1) * stepMs),
  }))
}

/** The longest stretch with no more than so many spans on average that divides a day, ms. */
function batchStep({ peakPerSecond, oneIn }: World): number {
  const spansPerMinute = (peakPerSecond * MEAN_SHARE * 60 * SPANS_PER_TRACE) / oneIn
  const fits = DAY_DIVISORS.find((minutes) => minutes * spansPerMinute <= BATCH_SPANS)
  return (fits ?? 1) * MINUTE_MS
}

/** Share done, by what a minute of each phase costs. */
function buildShares({ fromMs, spansFromMs, endMs }: HistoryState, tell: HistoryOrder['onProgress']) {
  const costs = {
    rollups: (spansFromMs - fromMs) * COST.rollups,
    spans: (endMs - spansFromMs) * COST.spans,
    metrics: (endMs - spansFromMs) * COST.metrics,
    rest: (endMs - spansFromMs) * COST.rest,
  }
  const phases = Object.keys(costs) as (keyof typeof costs)[]
  const whole = phases.reduce((sum, phase) => sum + costs[phase], 0)
  return (phase: keyof typeof costs, atMs: number): void => {
    const before = phases.slice(0, phases.indexOf(phase)).reduce((sum, one) => sum + costs[one], 0)
    const start = phase === 'rollups' ? fromMs : spansFromMs
    const end = phase === 'rollups' ? spansFromMs : endMs
    tell?.(Math.min(1, (before + (costs[phase] * (atMs - start)) / (end - start)) / whole))
  }
}
