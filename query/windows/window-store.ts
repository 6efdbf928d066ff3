// Records of windows in the registry's database: only added to, one after the other.

import type { WindowRecord, WindowVerdict } from '../http/verdict-schemas.ts'
import type { Database, Queries } from '../registry/database.ts'
import type { OrderStanding } from '../releases/orders.ts'
import { readVerdicts } from '../verdicts/verdict-store.ts'
import { nightOrders } from './night-orders.ts'
import { nextRecord, type Signer } from './record-chain.ts'
import type { ReleaseWindow } from './release-window.ts'
import { windowVerdict } from './window-verdict.ts'

const RELEASES_MAX = 5000
const COLUMNS = 'sequence, window_id, made_at, body, previous_hash, hash, signature, public_key'

/** As it stands now. */
export async function currentWindow(
  queries: Queries,
  window: ReleaseWindow,
  timeZone: string,
  orders: readonly OrderStanding[],
): Promise<WindowVerdict> {
  const kept = await readVerdicts(queries, window, RELEASES_MAX)
  return windowVerdict(window, timeZone, kept, nightOrders(orders, window))
}

export async function readRecords(
  queries: Queries,
  filter: { readonly window: string } | { readonly after: number; readonly limit: number },
): Promise<readonly WindowRecord[]> {
  const rows =
    'window' in filter
      ? await queries.rows(
          `SELECT ${COLUMNS} FROM release_window_records WHERE window_id = $1 ORDER BY sequence`,
          [filter.window],
        )
      : await queries.rows(
          `SELECT ${COLUMNS} FROM release_window_records WHERE sequence > $1 ORDER BY sequence LIMIT $2`,
          [filter.after, filter.limit],
        )
  return rows.map(toRecord)
}

/** How many records each window has. */
export async function countRecords(
  queries: Queries,
  windows: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.rows(
    'SELECT window_id, count(*) AS records FROM release_window_records WHERE window_id = ANY ($1::text[]) GROUP BY window_id',
    [windows],
  )
  return new Map(rows.map((row) => [String(row['window_id']), Number(row['records'])]))
}

/**
 * Writes a window down when nothing is written of it yet, or when what is said of it has changed since.
 * @returns the record; undefined when the last one says the same
 */
export function writeRecord(
  database: Database,
  verdict: WindowVerdict,
  signer: Signer | undefined,
  at: Date,
): Promise<WindowRecord | undefined> {
  return database.transaction(async (queries) => {
    // One writes at a time, so that no two follow the same one.
    await queries.rows('LOCK TABLE release_window_records IN EXCLUSIVE MODE')
    const [mine] = await queries.rows(
      `SELECT ${COLUMNS} FROM release_window_records WHERE window_id = $1 ORDER BY sequence DESC LIMIT 1`,
      [verdict.id],
    )
    if (mine !== undefined && saidBefore(toRecord(mine)) === JSON.stringify(essence(verdict)))
      return undefined
    const [last] = await queries.rows(
      `SELECT ${COLUMNS} FROM release_window_records ORDER BY sequence DESC LIMIT 1`,
    )
    const content = {
      ...verdict,
      window: verdict.id,
      madeAt: at.toISOString(),
      format: 'surety-release-window/1',
    }
    const record = nextRecord(last === undefined ? undefined : toRecord(last), content, signer)
    await queries.rows(
      `INSERT INTO release_window_records (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        record.sequence,
        record.window,
        at,
        record.body,
        record.previousHash,
        record.hash,
        record.signature,
        record.publicKey,
      ],
    )
    return record
  })
}

/** What makes a new record when it changes: words, not figures, which move all day. */
const essence = ({ verdict, lines }: Said) => [
  verdict,
  lines.map((line) => [
    line.system,
    line.verdict,
    line.releases.map((one) => [one.id, one.verdict, one.ours, one.isTakenBack, one.overrideReason]),
    (line.missing ?? []).map(({ order, name }) => [order, name]),
    (line.extra ?? []).map(({ order, release }) => [order, release]),
  ]),
]

type Line = WindowVerdict['lines'][number]
/** Records of earlier days know nothing of orders. */
type Said = Pick<WindowVerdict, 'verdict'> & {
  readonly lines: readonly (Omit<Line, 'missing' | 'extra'> & Partial<Pick<Line, 'missing' | 'extra'>>)[]
}

const saidBefore = ({ body }: WindowRecord) => JSON.stringify(essence(JSON.parse(body) as Said))

function toRecord(row: Readonly<Record<string, unknown>>): WindowRecord {
  return {
    sequence: Number(row['sequence']),
    window: String(row['window_id']),
    madeAt: (row['made_at'] as Date).toISOString(),
    body: String(row['body']),
    previousHash: String(row['previous_hash']),
    hash: String(row['hash']),
    signature: row['signature'] as string | null,
    publicKey: row['public_key'] as string | null,
  }
}
