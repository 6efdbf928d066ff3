// What is in the store of one batch, and putting it right: counted, deleted, and the views' tables made anew from the
// spans of the time touched. For recoveries only: a token may name a part that a crash took (non-replicated tables),
// so rows are believed and tokens are not.

import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from './store-error.ts'
import type { Store } from './store.ts'

type Access = Pick<Store, 'command' | 'rows'>
type Placed = Access & Pick<Store, 'place'>

/** Starts of a batch's spans, ms since epoch, both ends inclusive. */
export type StartRange = { readonly fromMs: number; readonly toMs: number }

const REQUEST_KEYS =
  'service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome'
const SERVICE_KEYS = 'service, bucket, version, system, traffic, outcome'

// A view's own SELECT makes the replacement, so the two cannot differ. `facts` are compared first: most crashes leave
// the views right, and replacing rewrites whole parts.
const VIEWS = [
  {
    view: 'requests_10s_mv',
    table: 'requests_10s',
    time: 'bucket',
    stepMs: 10_000,
    facts: (rows: string) =>
      `SELECT ${REQUEST_KEYS}, sum(requests) AS requests, sum(weighted) AS weighted FROM ${rows} GROUP BY ${REQUEST_KEYS}`,
  },
  {
    view: 'requests_1m_mv',
    table: 'requests_1m',
    time: 'bucket',
    stepMs: 60_000,
    facts: (rows: string) =>
      `SELECT ${REQUEST_KEYS}, sum(requests) AS requests, sum(weighted) AS weighted, sum(duration_ns_sum) AS duration FROM ${rows} GROUP BY ${REQUEST_KEYS}`,
  },
  {
    view: 'service_requests_1m_mv',
    table: 'service_requests_1m',
    time: 'bucket',
    stepMs: 60_000,
    facts: (rows: string) =>
      `SELECT ${SERVICE_KEYS}, sum(requests) AS requests, sum(weighted) AS weighted, max(last_at) AS last FROM ${rows} GROUP BY ${SERVICE_KEYS}`,
  },
  {
    view: 'error_signatures_mv',
    table: 'error_signatures',
    time: 'bucket',
    stepMs: 60_000,
    facts: (rows: string) =>
      `SELECT service, bucket, version, traffic, signature, sum(occurrences) AS times FROM ${rows} GROUP BY service, bucket, version, traffic, signature`,
  },
  {
    view: 'trace_roots_mv',
    table: 'trace_roots',
    time: 'started_at',
    stepMs: 1000,
    facts: (rows: string) =>
      `SELECT trace_hash, started_at, count() AS times FROM ${rows} GROUP BY trace_hash, started_at`,
  },
] as const

const milliseconds = (ms: number) => `fromUnixTimestamp64Milli(${Math.floor(ms)}, 'UTC')`
const seconds = (ms: number) => `toDateTime(${Math.floor(ms / 1000)}, 'UTC')`

/** Runs after the row's milliseconds, because a start is kept to the nanosecond. */
function within({ fromMs, toMs }: StartRange): string {
  return `ts >= ${milliseconds(fromMs)} AND ts < ${milliseconds(Math.floor(toMs) + 1)}`
}

const MUTATION_POLL_MS = [20, 20, 50, 100, 200, 500, 1000]

/** For whoever waits long. */
export type Waiting = {
  /** Called once, when there is something to wait for. */
  readonly onWait: (deletions: number) => void
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

/**
 * Resolves when no deletion is under way. A recovery that was killed may have left one on disk; the engine goes on with
 * it after the next start, and what it takes away would be missed by whoever counted before.
 */
async function untilDeletionsAreDone(store: Access, { onWait, signal }: Waiting): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const [row] = await store.rows(
      'SELECT count() AS pending FROM system.mutations WHERE database = currentDatabase() AND NOT is_done',
    )
    const pending = Number(row?.['pending'] ?? 0)
    if (pending === 0) return
    if (looks === 0) onWait(pending)
    if (signal.aborted) throw new StoreError('SURETY_STORE_BUSY', `${pending} deletions are still under way`)
    const delayMs = MUTATION_POLL_MS[Math.min(looks, MUTATION_POLL_MS.length - 1)]
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Resolves when what is counted next is all there is: on every replica, and with no deletion under way.
 * @throws StoreError busy when the waiting is ended
 */
export async function settle(store: Placed, tables: readonly string[], waiting: Waiting): Promise<void> {
  if (store.place.kind === 'cluster') {
    for (const table of tables) await store.command(`SYSTEM SYNC REPLICA ${table} LIGHTWEIGHT`)
  }
  await untilDeletionsAreDone(store, waiting)
}

// Half of the windows of schema/, and well within a replicated table's seven days. Where inserts are not counted
// (`batches` has those of spans), a time in which several processes stay far below the window.
const REMEMBERED_INSERTS_MAX = 5000
const REMEMBERED_MS = 2 * 86_400_000
const REMEMBERED_UNCOUNTED_MS = 1_800_000

/**
 * Whether the store surely still knows the token of a batch that is there, whole or in part.
 * @param latestMs  latest time of its facts: about when it came
 */
export async function isRemembered(
  store: Access,
  batch: string,
  latestMs: number,
  nowMs: number,
): Promise<boolean> {
  const [row] = await store.rows(
    `SELECT count() AS brought, toUnixTimestamp64Milli(min(at)) AS at FROM batches WHERE batch = ${batch}`,
  )
  if (Number(row?.['brought']) === 0) return nowMs - latestMs <= REMEMBERED_UNCOUNTED_MS
  const atMs = Number(row?.['at'])
  const [later] = await store.rows(`SELECT count() AS inserts FROM batches WHERE at >= ${milliseconds(atMs)}`)
  return nowMs - atMs <= REMEMBERED_MS && Number(later?.['inserts']) <= REMEMBERED_INSERTS_MAX
}

/**
 * @param batch  SQL expression of the batch id
 * @returns spans of the batch that are really there
 */
export async function countBatch(store: Access, batch: string, range: StartRange): Promise<number> {
  const [row] = await store.rows(
    `SELECT count() AS found FROM spans WHERE batch = ${batch} AND ${within(range)}`,
  )
  return Number(row?.['found'] ?? 0)
}

/** Takes out what is there of a batch. Resolves when it is gone. */
export async function deleteBatch(store: Access, batch: string, range: StartRange): Promise<void> {
  await store.command(
    `ALTER TABLE spans DELETE WHERE batch = ${batch} AND ${within(range)} SETTINGS mutations_sync = 2`,
  )
}

/**
 * Puts right what the views made of the time touched: compared with what they make of the spans that are there now, and
 * replaced where it differs. Nothing else may write meanwhile. Safe to run again after any crash.
 */
export async function rederive(store: Access, batch: string, range: StartRange): Promise<void> {
  for (const { view, table, time, stepMs, facts } of VIEWS) {
    const fromMs = Math.floor(range.fromMs / stepMs) * stepMs
    const toMs = Math.floor(range.toMs / stepMs) * stepMs + stepMs
    const select = await viewSelect(store, view, `ts >= ${seconds(fromMs)} AND ts < ${seconds(toMs)}`)
    const touched = `${time} >= ${seconds(fromMs)} AND ${time} < ${seconds(toMs)}`
    const kept = await digest(store, facts(`(SELECT * FROM ${table} WHERE ${touched})`))
    if (kept === (await digest(store, facts(`(${select})`)))) continue
    await store.command(`ALTER TABLE ${table} DELETE WHERE ${touched} SETTINGS mutations_sync = 2`)
    await insertSelect(store, table, view, select)
  }
  const select = await viewSelect(store, 'batches_mv', `batch = ${batch} AND ${within(range)}`)
  const rows = (source: string) => `SELECT batch, sum(rows) AS rows FROM ${source} GROUP BY batch`
  const kept = await digest(store, rows(`(SELECT * FROM batches WHERE batch = ${batch})`))
  if (kept === (await digest(store, rows(`(${select})`)))) return
  await store.command(`ALTER TABLE batches DELETE WHERE batch = ${batch} SETTINGS mutations_sync = 2`)
  await insertSelect(store, 'batches', 'batches_mv', select)
}

/** The same for the same rows in any order. */
async function digest(store: Access, rows: string): Promise<string> {
  const [row] = await store.rows(`SELECT count() AS groups, sum(cityHash64(*)) AS hash FROM (${rows})`)
  return JSON.stringify(row)
}

/** The SELECT of a view over the spans that a condition leaves. */
function viewSelect(store: Access, view: string, condition: string): Promise<string> {
  return selectOfView(store, view, `(SELECT * FROM spans WHERE ${condition})`)
}

/**
 * What a view makes of other rows than those inserted.
 * @param rows  SQL that stands after FROM and has the columns of `spans` that the view reads
 */
export async function selectOfView(store: Pick<Store, 'rows'>, view: string, rows: string): Promise<string> {
  const [row] = await store.rows(
    `SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = '${view}'`,
  )
  const asSelect = row?.['as_select']
  const select = typeof asSelect === 'string' ? asSelect : ''
  const replaced = select.replace(/\bFROM (?:\w+\.)?spans\b/, () => `FROM ${rows} AS spans`)
  if (replaced === select) throw new Error(`the view ${view} does not read spans: ${select.slice(0, 200)}`)
  return replaced
}

/** By name: a column that was added to the table later stands elsewhere than in the view. */
async function insertSelect(store: Access, table: string, view: string, select: string): Promise<void> {
  const named = await store.rows(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '${view}' ORDER BY position`,
  )
  const columns = named.map(({ name }) => String(name)).join(', ')
  // A token of its own: without one the engine would compare this block's digest with earlier inserts.
  const settings = `async_insert = 0, max_partitions_per_insert_block = 1000, insert_deduplication_token = 'rederive/${crypto.randomUUID()}'`
  await store.command(`INSERT INTO ${table} (${columns}) ${select} SETTINGS ${settings}`)
}
