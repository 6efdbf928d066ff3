// Watches one ingesting process from its joining the group until its rows are in and its merges are finished.
// Both sides of a bench are watched by this, in the same way.
//
// States: joined → reading (rows grow) → in (every row can be queried) → quiet (parts stand still, CPU idle).

import { setTimeout as sleep } from 'node:timers/promises'
import { BenchFailure } from './bench-definition.ts'
import type { Child } from './child.ts'
import { buildThreadLedger, cpuSeconds, rssPeakMb } from './process-usage.ts'
import { ingestStatusOf } from './surety-side.ts'

const POLL_MS = 2000
const POLL_MS_MIN = 200
const SAY_EVERY_MS = 5000
const STALLED_MS = 120_000
// Merges are over when for this long no part came or went and the process hardly worked.
const QUIET_MS = 3000
const QUIET_CPU_SHARE = 0.05
const QUIET_TIMEOUT_MS = 300_000

export type IngestRun = {
  readonly rows: number
  /** First record to last row queryable. */
  readonly wallSeconds: number
  /** Of the whole process from its joining until merges were finished. */
  readonly cpuSeconds: number
  /** The part of it until the last row was in. */
  readonly cpuSecondsUntilIn: number
  /** Before it joined: not in the figures above. */
  readonly startUpCpuSeconds: number
  readonly mergeSeconds: number
  readonly partsWhenIn: number
  readonly parts: number
  readonly rssMb: number
  /** CPU seconds by thread name; what short-lived threads used is not in it. */
  readonly threads: readonly { readonly name: string; readonly cpuSeconds: number }[]
}

export type WatchOptions = {
  /** Default true; without it the run ends with the last row. */
  readonly waitsForMerges?: boolean
  /** Whose rows are counted; default `spans`. */
  readonly tables?: readonly string[]
}

type Status = { readonly rows: number; readonly parts: number; readonly tables: string }

/**
 * @param url  of the process, with `/api/v1/ingest/status`
 * @throws BenchFailure when rows stop coming, are too many, or merges do not end
 */
export async function watchIngest(
  child: Child,
  url: string,
  rowsWanted: number,
  say: (text: string) => void,
  { waitsForMerges = true, tables = ['spans'] }: WatchOptions = {},
): Promise<IngestRun> {
  const { pid } = child
  const startedAt = performance.now()
  const startUpCpuSeconds = cpuSeconds(pid)
  const ledger = buildThreadLedger(pid)
  ledger.sample()
  const before = new Map(ledger.byName().map((thread) => [thread.name, thread.cpuSeconds]))
  const seconds = () => (performance.now() - startedAt) / 1000
  const used = () => cpuSeconds(pid) - startUpCpuSeconds

  let saidAt = startedAt
  let grewAt = startedAt
  let status = await readStatus(url, tables)
  while (status.rows < rowsWanted) {
    const rate = status.rows / Math.max(0.001, seconds())
    const leftMs = rate === 0 ? POLL_MS : ((rowsWanted - status.rows) / rate) * 1000
    // Closer to the end more often, so that the end is seen to a fraction of a second.
    const waitMs = Math.min(POLL_MS, Math.max(POLL_MS_MIN, leftMs / 2))
    await Promise.race([sleep(waitMs), child.ended])
    const next = await readStatus(url, tables)
    ledger.sample()
    const now = performance.now()
    if (next.rows > status.rows) grewAt = now
    if (now - grewAt > STALLED_MS) {
      throw new BenchFailure(`No rows for ${STALLED_MS / 1000} s: ${next.rows} of ${rowsWanted} rows are in.`)
    }
    status = next
    if (now - saidAt > SAY_EVERY_MS) {
      saidAt = now
      const perSecond = Math.round(status.rows / seconds())
      const perCpu = Math.round(status.rows / Math.max(0.01, used()))
      say(
        `${status.rows} of ${rowsWanted} rows, ${perSecond}/s, ${perCpu} per CPU-second, ${status.parts} parts`,
      )
    }
  }
  const wallSeconds = seconds()
  const cpuSecondsUntilIn = used()
  const partsWhenIn = status.parts
  say(`all rows are in after ${wallSeconds.toFixed(1)} s${waitsForMerges ? '; waiting for merges' : ''}`)

  let quietFrom = { status, cpu: cpuSecondsUntilIn, at: wallSeconds }
  for (;;) {
    if (!waitsForMerges) break
    await Promise.race([sleep(QUIET_MS), child.ended])
    ledger.sample()
    const sample = { cpu: used(), at: seconds(), status: await readStatus(url, tables) }
    const share = (sample.cpu - quietFrom.cpu) / (sample.at - quietFrom.at)
    if (share < QUIET_CPU_SHARE && sample.status.tables === quietFrom.status.tables) break
    if ((sample.at - wallSeconds) * 1000 > QUIET_TIMEOUT_MS) {
      throw new BenchFailure(`Merges did not end within ${QUIET_TIMEOUT_MS / 1000} s.`)
    }
    quietFrom = sample
  }
  if (quietFrom.status.rows !== rowsWanted) {
    throw new BenchFailure(`${quietFrom.status.rows} rows are in, ${rowsWanted} were sent.`)
  }
  return {
    rows: quietFrom.status.rows,
    wallSeconds,
    cpuSeconds: quietFrom.cpu,
    cpuSecondsUntilIn,
    startUpCpuSeconds,
    mergeSeconds: quietFrom.at - wallSeconds,
    partsWhenIn,
    parts: quietFrom.status.parts,
    rssMb: rssPeakMb(pid),
    threads: ledger
      .byName()
      .map((thread) => ({ ...thread, cpuSeconds: thread.cpuSeconds - (before.get(thread.name) ?? 0) })),
  }
}

async function readStatus(url: string, wanted: readonly string[]): Promise<Status> {
  const { tables } = await ingestStatusOf(url)
  const counted = tables.filter(({ table }) => wanted.includes(table))
  return {
    rows: counted.reduce((sum, { rows }) => sum + rows, 0),
    parts: counted.reduce((sum, { parts }) => sum + parts, 0),
    tables: tables.map(({ table, rows, parts }) => `${table} ${rows} ${parts}`).join(', '),
  }
}
