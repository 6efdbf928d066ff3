// Traces for the batch writer: resources that were not seen before, then spans; the statement is made for what the
// batch holds.

import type { Clock } from '../runtime/clock.ts'
import { countBatch, deleteBatch, rederive } from '../store/batch-rows.ts'
import {
  ENVELOPE_SETTINGS,
  INHERITED_KEYS,
  insertResources,
  insertSpans,
  type ReturnCodeRule,
} from '../store/insert-spans.ts'
import { mayHold } from './key-signature.ts'
import { TRACES_FORMAT, type PreparedTraces } from './prepare.ts'
import { buildResourceMemory } from './resource-memory.ts'
import { timesOf, type Signal } from './signal.ts'

type Source = (structure: string) => string

export function buildTraceSignal(rules: readonly ReturnCodeRule[], clock: Clock): Signal<PreparedTraces> {
  const resources = buildResourceMemory(clock)
  return {
    name: 'traces',
    format: TRACES_FORMAT,
    settings: ENVELOPE_SETTINGS,
    plan(part, token, batchId) {
      const unseen = resources.unseen(part)
      const marks = part.map((message) => message.keys)
      const shape = {
        hasLists: part.some((message) => message.hasLists),
        inherits: part.some((message) => message.resources.some(mayBeInherited)),
        mayHold: (key: string) => mayHold(marks, key),
      }
      const spans = { sql: (source: Source) => insertSpans(source, batchId, rules, shape), token }
      const dimension = { sql: insertResources, token: `${token}/resources` }
      return {
        statements: unseen.length === 0 ? [spans] : [dimension, spans],
        stored: () => resources.remember(unseen),
      }
    },
    probe() {
      const shape = { hasLists: true, inherits: true, mayHold: () => true }
      return [{ sql: (source: Source) => insertSpans(source, '0', rules, shape), token: 'canary' }]
    },
    wanted: (items) => ({ spans: items.reduce((sum, { rows }) => sum + rows, 0) }),
    found: async (store, batchId, items) => ({ spans: await countBatch(store, batchId, timesOf(items)) }),
    keepsWhole: true,
    remove: (store, batchId, items) => deleteBatch(store, batchId, timesOf(items)),
    rederive: (store, batchId, items) => rederive(store, batchId, timesOf(items)),
  }
}

const mayBeInherited = (resource: string) => INHERITED_KEYS.some((key) => resource.includes(key))
