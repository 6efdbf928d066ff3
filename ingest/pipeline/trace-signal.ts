// Traces for the batch writer: resources that were not seen before, then spans; the statement is made for what the
// batch holds.

import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { countBatch, deleteBatch, rederive } from '../store/batch-rows.ts'
import {
  ANY_SHAPE,
  TRACES_SCHEMA,
  INHERITED_KEYS,
  insertResources,
  insertSpans,
  type ReturnCodeRule,
} from '../store/insert-spans.ts'
import { isMasking, NO_MASKING, type Masking } from '../store/masking.ts'
import { StoreError } from '../store/store.ts'
import { mayHold } from './key-signature.ts'
import { TRACES_FORMAT, type PreparedTraces } from './prepare.ts'
import { buildResourceMemory } from './resource-memory.ts'
import { timesOf, type BatchAccess, type Signal } from './signal.ts'

type Source = (structure: string) => string

export type TraceSignalParts = {
  readonly rules: readonly ReturnCodeRule[]
  /** Nothing is masked without it. */
  readonly masking?: Masking
  /** Attribute keys that spans can be found by; none when not given. */
  readonly searchKeys?: readonly string[]
  readonly metrics: Metrics
  readonly clock: Clock
}

export function buildTraceSignal(parts: TraceSignalParts): Signal<PreparedTraces> {
  const { rules, masking = NO_MASKING, searchKeys = [], metrics, clock } = parts
  const resources = buildResourceMemory(clock, masking)

  /** What the engine masked of a batch; a store that is busy just then leaves the count short, never the masking. */
  async function countMasked(
    store: BatchAccess,
    batch: readonly PreparedTraces[],
    door: string,
    batchId: string,
  ): Promise<void> {
    const marks = batch.map(({ keys }) => keys)
    const mayBe =
      batch.some(({ hasNumbers }) => hasNumbers) ||
      masking.patterns.length > 0 ||
      masking.keys.some((key) => mayHold(marks, key))
    if (!mayBe || !isMasking(masking)) return
    try {
      const [row] = await store.rows(
        `SELECT sum(masked) AS masked FROM batches WHERE at > now() - INTERVAL 1 HOUR AND batch = ${batchId}`,
      )
      metrics.maskedValues.inc({ door }, Number(row?.['masked'] ?? 0))
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  return {
    name: 'traces',
    format: TRACES_FORMAT,
    schema: TRACES_SCHEMA,
    plan(part, token, batchId) {
      const unseen = resources.unseen(part)
      const marks = part.map((message) => message.keys)
      const shape = {
        hasLists: part.some((message) => message.hasLists),
        inherits: part.some((message) => message.resources.some(mayBeInherited)),
        hasNumbers: part.some((message) => message.hasNumbers),
        hasResourceNumbers: resources.mayHoldNumbers(part),
        mayHold: (key: string) => mayHold(marks, key),
        searchKeys,
        ...aheadOf(part),
      }
      const spans = { sql: (source: Source) => insertSpans(source, batchId, rules, shape, masking), token }
      const dimension = {
        sql: (source: Source) => insertResources(source, masking, shape.hasResourceNumbers),
        token: `${token}/resources`,
      }
      return {
        statements: unseen.length === 0 ? [spans] : [dimension, spans],
        stored: () => resources.remember(unseen),
      }
    },
    probe() {
      const shape = { ...ANY_SHAPE, searchKeys }
      return [{ sql: (source: Source) => insertSpans(source, '0', rules, shape, masking), token: 'canary' }]
    },
    wanted: (items) => ({ spans: items.reduce((sum, { rows }) => sum + rows, 0) }),
    found: async (store, batchId, items) => ({ spans: await countBatch(store, batchId, timesOf(items)) }),
    tally: countMasked,
    keepsWhole: true,
    remove: (store, batchId, items) => deleteBatch(store, batchId, timesOf(items)),
    rederive: (store, batchId, items) => rederive(store, batchId, timesOf(items)),
  }
}

/** The bound for a batch that holds such spans; its messages came within seconds of one another. */
function aheadOf(part: readonly PreparedTraces[]) {
  const bounds = part.filter(({ aheadRows }) => aheadRows > 0).map(({ aheadFromMs }) => aheadFromMs)
  return bounds.length === 0 ? {} : { aheadFromMs: Math.min(...bounds) }
}

const mayBeInherited = (resource: string) => INHERITED_KEYS.some((key) => resource.includes(key))
