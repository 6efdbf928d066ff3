// Retention by size: when the store is over its bytes, the oldest days go, whole: raw spans first, then 10-second counts.
// The newest day of a table always stays; minute counts, releases and dead letters are small and never go for size.

import { literal } from './literal.ts'
import type { Store } from './store.ts'

export type DroppedPartition = { readonly table: string; readonly day: string; readonly bytes: number }

export type DiskUse = {
  /** Bytes of active parts after what was dropped. */
  readonly bytes: number
  readonly dropped: readonly DroppedPartition[]
}

// In the order in which they are given up. A day of spans takes its trace look-up with it.
const GIVEN_UP = [['spans', 'trace_roots'], ['requests_10s']] as const

type Day = { readonly table: string; readonly id: string; readonly bytes: number }

/**
 * @param bytesMax  0 for no limit
 * @param still     runs work while nothing else writes spans; used only when something is to be dropped
 * @throws StoreError
 */
export async function keepWithin(
  store: Pick<Store, 'command' | 'rows'>,
  bytesMax: number,
  still: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<DiskUse> {
  const rows = await store.rows(
    'SELECT table, partition_id AS id, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table, id ORDER BY id',
  )
  const days = rows.map((row): Day => ({
    table: String(row['table']),
    id: String(row['id']),
    bytes: Number(row['bytes']),
  }))
  let bytes = days.reduce((sum, day) => sum + day.bytes, 0)
  const dropped: DroppedPartition[] = []
  if (bytesMax === 0 || bytes <= bytesMax) return { bytes, dropped }
  const plan: Day[] = []
  for (const [leader, ...followers] of GIVEN_UP) {
    for (const day of days.filter(({ table }) => table === leader).slice(0, -1)) {
      if (bytes <= bytesMax) break
      const together = [
        day,
        ...days.filter(({ table, id }) => id === day.id && followers.includes(table as never)),
      ]
      plan.push(...together)
      bytes -= together.reduce((sum, one) => sum + one.bytes, 0)
    }
  }
  if (plan.length === 0) return { bytes, dropped }
  await still(async () => {
    for (const { table, id, bytes: size } of plan) {
      await store.command(`ALTER TABLE ${table} DROP PARTITION ID ${literal(id)}`)
      dropped.push({ table, day: id.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'), bytes: size })
    }
  })
  return { bytes, dropped }
}
