// How ingest is doing, from what it left in the store; the part that only the ingest process knows (Kafka) is
// handed in when it runs here.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { IngestStatusReply } from '../http/schemas.ts'
import { iso } from '../time-range.ts'

const none = z.object({})
const count = z.coerce.number()
const freshness = statement(
  new URL('./ingest-freshness.sql', import.meta.url),
  none,
  z.object({ minute_rows: count, newest: count }),
)
const ahead = statement(new URL('./ingest-ahead.sql', import.meta.url), none, z.object({ spans: count }))
const tables = statement(
  new URL('./ingest-tables.sql', import.meta.url),
  none,
  z.object({ table: z.string(), row_count: count, bytes: count, parts: count }),
)
const letters = statement(
  new URL('./dead-letters.sql', import.meta.url),
  none,
  z.object({ total: count, last_hour: count }),
)
const newestLetters = statement(
  new URL('./dead-letters-newest.sql', import.meta.url),
  none,
  z.object({ happened: count, origin: z.string(), reason: z.string(), detail: z.string(), size: count }),
)

export type KafkaStatus = Readonly<NonNullable<IngestStatusReply['kafka']>>

export async function ingestStatus(
  store: Store,
  nowMs: number,
  kafka: KafkaStatus | null,
): Promise<IngestStatusReply> {
  const [[fresh], [future], sizes, [dead], newest] = await Promise.all([
    store.ask(freshness, {}),
    store.ask(ahead, {}),
    store.ask(tables, {}),
    store.ask(letters, {}),
    store.ask(newestLetters, {}),
  ])
  const newestMs = fresh?.newest ?? 0
  const all = sizes.map(({ table, row_count, bytes, parts }) => ({
    table,
    rows: row_count,
    bytesOnDisk: bytes,
    parts,
  }))
  const spans = all.find(({ table }) => table === 'spans') ?? { rows: 0, bytesOnDisk: 0, parts: 0 }
  return {
    at: iso(nowMs),
    rowsPerSecond: (fresh?.minute_rows ?? 0) / 60,
    newestSpanAt: newestMs === 0 ? null : iso(newestMs),
    lagSeconds: newestMs === 0 ? null : Math.max(0, (nowMs - newestMs) / 1000),
    spans: {
      rows: spans.rows,
      bytesOnDisk: spans.bytesOnDisk,
      parts: spans.parts,
      aheadOfNow: future?.spans ?? 0,
    },
    tables: all,
    deadLetters: {
      lastHour: dead?.last_hour ?? 0,
      total: dead?.total ?? 0,
      newest: newest.map(({ happened, origin, reason, detail, size }) => ({
        at: iso(happened),
        origin,
        reason: `${reason}: ${detail}`,
        bytes: size,
      })),
    },
    kafka: kafka === null ? null : [...kafka],
  }
}
