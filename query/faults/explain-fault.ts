// One fault explained as of an instant: releases of the ledger, the case of the store, and what the engine makes of it.

import type { Fault } from '../blame/case.ts'
import { explain } from '../blame/explain.ts'
import { gatherCase, type GatherParts } from '../blame/gather.ts'
import type { Explanation } from '../http/fault-schemas.ts'
import { loadReleases, type LedgerParts } from '../releases/ledger.ts'
import type { Release } from '../releases/release.ts'
import { caseDigest } from './case-digest.ts'

export type Explained = {
  readonly explanation: Explanation
  readonly caseDigest: string
  /** Those that may have been before or about its onset. */
  readonly releases: readonly Release[]
}

/** An effect may come so long after its release. */
const RELEASES_BACK_MS = 72 * 3_600_000
const HOUR_MS = 3_600_000

/**
 * @param nowMs  instant of the decision: nothing after it is read
 * @throws StoreError, RegistryError
 */
export async function explainFault(
  parts: GatherParts & LedgerParts,
  fault: Fault,
  nowMs: number,
): Promise<Explained> {
  // Onset may lie some time before the alarm, and what is looked back at begins there.
  const fromMs = fault.alarmAtMs - RELEASES_BACK_MS - 2 * HOUR_MS
  const releases = await loadReleases(parts, { fromMs, toMs: nowMs, nowMs })
  const gathered = await gatherCase(parts, fault, releases, nowMs)
  return { explanation: explain(gathered), caseDigest: caseDigest(gathered), releases }
}
