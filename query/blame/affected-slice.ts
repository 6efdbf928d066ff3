// Which entries a fault is about, and which few others are looked at beside them. Pure.

import type { Entry, FaultPlace } from './case.ts'
import type { EntrySeen } from './gather-questions.ts'
import { slowFrom } from './latency-buckets.ts'
import { entryKey } from './trace-path.ts'

const AFFECTED_MAX = 40
const OTHERS_MAX = 5
/** An entry of which fewer traces touch the fault's service is not about it. */
const TOUCHING_RATIO = 0.05
/** Cells apart by teller, or by branch, at most; more are put together. */
const CELLS_MAX = 4000

export type Slice = {
  /** Affected ones first. */
  readonly entries: readonly Entry[]
  readonly keys: readonly string[]
  readonly affected: number
  readonly slowBuckets: readonly number[]
  readonly slowMs: readonly number[]
  /** Affected ones beyond the bound. */
  readonly left: number
  readonly tellers: boolean
  readonly branches: boolean
  readonly sampledRatio: number
}

/**
 * Where the fault's service is itself an entry, those of its operation; else the entries of whose traces a twentieth touches it. A service
 * that no trace has touched (it died, and what calls it waits) is looked for among all.
 */
export function affectedSlice(
  seen: readonly EntrySeen[],
  { service, operation, txnCode }: FaultPlace,
  wantsTellers: boolean,
): Slice {
  const ofCode = seen.filter(({ txn_code }) => txnCode === '' || txn_code === txnCode)
  const own = ofCode.filter(
    (entry) => entry.service === service && (operation === '' || entry.operation === operation),
  )
  const isOwn = service !== '' && operation !== '' && own.length > 0
  const touching = ofCode.filter((entry) => entry.touching >= TOUCHING_RATIO * entry.requests_weighted)
  const rarely = ofCode.toSorted((a, b) => b.touching - a.touching).filter((entry) => entry.touching > 0)
  const found = [
    service === '' ? ofCode : isOwn ? own : touching,
    rarely.slice(0, 3),
    // Nobody reaches it any more, or never did within the time looked at.
    txnCode === '' ? seen : ofCode,
  ].find(({ length }) => length > 0)
  const all = found ?? []
  const others = seen.filter((entry) => !all.includes(entry)).slice(0, OTHERS_MAX)
  return sliceOf(all, others, wantsTellers)
}

/** Every entry of whose traces any touches what was looked for, those with most first. */
export function touchingSlice(seen: readonly EntrySeen[], wantsTellers: boolean): Slice {
  const touching = seen.filter((entry) => entry.touching > 0).toSorted((a, b) => b.touching - a.touching)
  return sliceOf(touching, [], wantsTellers)
}

function sliceOf(all: readonly EntrySeen[], others: readonly EntrySeen[], wantsTellers: boolean): Slice {
  const affected = all.slice(0, AFFECTED_MAX)
  const kept = [...affected, ...others]
  const slow = kept.map(({ usual_latency: usual }) => slowFrom(usual))
  const entries = kept.map((entry) => ({
    service: entry.service,
    operation: entry.operation,
    txnCode: entry.txn_code,
  }))
  const sum = (count: (entry: EntrySeen) => number) => kept.reduce((total, entry) => total + count(entry), 0)
  const weighted = sum(({ requests_weighted }) => requests_weighted)
  return {
    entries,
    keys: entries.map(entryKey),
    affected: affected.length,
    slowBuckets: slow.map(({ bucket }) => bucket),
    slowMs: slow.map(({ ms }) => ms),
    left: all.length - affected.length,
    tellers: wantsTellers && Math.max(0, ...kept.map(({ teller_cells }) => teller_cells)) <= CELLS_MAX,
    branches: Math.max(0, ...kept.map(({ branch_cells }) => branch_cells)) <= CELLS_MAX,
    sampledRatio: weighted === 0 ? 1 : Math.min(1, (1000 * sum(({ spans }) => spans)) / weighted),
  }
}
