// What the correlation engine sees of one fault, read from the store: counts by minute, never spans. What they mean is
// judged elsewhere (explain.ts).

import type { Store } from '../../ingest/store/store.ts'
import type { Release } from '../releases/release.ts'
import type { Fault, FaultCase, TraceRows } from './case.ts'

export type GatherParts = {
  readonly store: Pick<Store, 'ask'>
  /** How far tools' clocks may be off; default a minute. */
  readonly clockSlackMs?: number
}

const MINUTE_MS = 60_000

/**
 * @param fault     what is to be explained
 * @param releases  everything known that may have been before or about its onset, 72 h back; the ledger's
 * @param nowMs     the instant of the decision: nothing after it is read
 * @returns the case; the same store, fault, releases and instant give the same bytes
 * @throws StoreError
 */
export function gatherCase(
  _parts: GatherParts,
  fault: Fault,
  _releases: readonly Release[],
  nowMs: number,
): Promise<FaultCase> {
  return Promise.resolve({
    fault,
    nowMs,
    fromMinute: Math.floor(fault.alarmAtMs / MINUTE_MS) - 90,
    toMinute: Math.floor(nowMs / MINUTE_MS) + 1,
    clockSlackMs: MINUTE_MS,
    sampledRatio: 1,
    entries: [],
    slowMs: [],
    cells: [],
    candidates: [],
    touches: [],
    rows: noRows(),
    dayBefore: undefined,
    failures: [],
    places: [],
    peers: [],
    callers: [],
    signatures: [],
    signaturePasts: [],
    events: [],
    calls: [],
    systems: {},
  })
}

const noRows = (): TraceRows => ({
  length: 0,
  minute: new Int32Array(),
  entry: new Int32Array(),
  cell: new Int32Array(),
  touch: new Int32Array(),
  requests: new Float64Array(),
  systemErrors: new Float64Array(),
  businessErrors: new Float64Array(),
  shed: new Float64Array(),
  rejects: new Float64Array(),
  slow: new Float64Array(),
})
