// Release events in the store: each (source, id) once, the first wins.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { ReleaseEventStore } from './release-event-store.ts'
import { statement, type Columns, type Store } from '../store/store.ts'

const knownEvents = statement(
  new URL('./known-release-events.sql', import.meta.url),
  z.object({ sources: z.array(z.string()), ids: z.array(z.string()) }),
  z.object({ source: z.string(), id: z.string() }),
)

const COLUMNS: Columns = {
  source: 'String',
  id: 'String',
  type: 'String',
  at: { type: 'Int64', value: `fromUnixTimestamp64Milli(at, 'UTC')` },
  received_at: { type: 'Int64', value: `fromUnixTimestamp64Milli(received_at, 'UTC')` },
  service: 'String',
  version: 'String',
  environment: 'String',
  action: 'String',
  description: 'String',
  subject: 'String',
  specversion: 'String',
  body: 'String',
}

/** One writer per store: looking up and inserting is one step here, so two calls never store one event twice. */
export function buildReleaseEventStore(store: Store): ReleaseEventStore {
  let turn: Promise<unknown> = Promise.resolve()

  async function addNow(records: readonly ReleaseEventRecord[]) {
    const identity = ({ source, id }: { source: string; id: string }) => JSON.stringify([source, id])
    const parameters = { sources: records.map(({ source }) => source), ids: records.map(({ id }) => id) }
    const known = new Set((await store.ask(knownEvents, parameters)).map(identity))
    const fresh = records.filter((record) => !known.has(identity(record)))
    if (fresh.length > 0) {
      const rows = fresh.map(({ receivedAt, ...record }) => ({ ...record, received_at: receivedAt }))
      const token = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
      await store.insertRows('release_events', COLUMNS, rows, `release-events/${token}`)
    }
    return { stored: fresh.length, duplicates: records.length - fresh.length }
  }

  return {
    add(records) {
      const mine = turn.then(() => addNow(records))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}
