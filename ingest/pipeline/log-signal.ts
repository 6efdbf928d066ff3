// Named events for the batch writer: resources that were not seen before, then events.

import type { Clock } from '../runtime/clock.ts'
import { countEvents, deleteEvents, insertEvents, LOGS_SCHEMA } from '../store/insert-events.ts'
import { insertResources } from '../store/insert-spans.ts'
import { NO_MASKING, type Masking } from '../store/masking.ts'
import { LOGS_FORMAT, type PreparedLogs } from './prepare-logs.ts'
import { buildResourceMemory } from './resource-memory.ts'
import { timesOf, type Signal } from './signal.ts'

type Source = (structure: string) => string

export function buildLogSignal(clock: Clock, masking: Masking = NO_MASKING): Signal<PreparedLogs> {
  const resources = buildResourceMemory(clock, masking)
  return {
    name: 'logs',
    format: LOGS_FORMAT,
    schema: LOGS_SCHEMA,
    plan(part, token, batchId) {
      const unseen = resources.unseen(part)
      const ofResource = resources.mayHoldNumbers(part) ? masking : NO_MASKING
      const own = { ...masking, kinds: part.some(({ hasNumbers }) => hasNumbers) ? masking.kinds : [] }
      const dimension = {
        sql: (source: Source) => insertResources(source, ofResource),
        token: `${token}/resources`,
      }
      const events = { sql: (source: Source) => insertEvents(source, batchId, ofResource, own), token }
      return {
        statements: unseen.length === 0 ? [events] : [dimension, events],
        stored: () => resources.remember(unseen),
      }
    },
    probe: () => [
      { sql: (source: Source) => insertEvents(source, '0', masking, masking), token: 'canary/logs' },
    ],
    wanted: (items) => ({ events: items.reduce((sum, { rows }) => sum + rows, 0) }),
    found: async (store, batchId, items) => ({ events: await countEvents(store, batchId, timesOf(items)) }),
    keepsWhole: true,
    remove: (store, batchId, items) => deleteEvents(store, batchId, timesOf(items)),
    rederive: () => Promise.resolve(),
  }
}
