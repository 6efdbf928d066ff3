// What the rows of a ledger failed at: a sample of their bad spans, each followed to the span that is responsible, as lost journeys
// are.

import { z } from 'zod'
import type { Store } from '../../ingest/store/store.ts'
import { EVENT_SCALE } from '../measure/question.ts'
import { culpritsOf, type Culprit, type Unknown } from '../reports/culprits.ts'
import type { TimeRange } from '../time-range.ts'
import { conditionsOf, SPANS_OF_REQUESTS, type BadRequests } from './bad-requests.ts'
import type { LedgerRow } from './ledger.ts'

export type Dependency = {
  /** «ledger 6.2.3», or the far side of a call that nobody answered; empty: the row's service itself, or not known. */
  readonly name: string
  /** Part of what was looked at of the row that it explains. */
  readonly ratio: number
}

export type Dependencies = {
  of(row: Pick<LedgerRow, 'service' | 'operation' | 'version'>): Dependency | undefined
  /** Bad events that were looked at. */
  readonly bad: number
}

const SAMPLE_MAX = 500
const NEWEST_MS = 86_400_000
const number = z.coerce.number()
const Bad = z.object({
  service: z.string(),
  operation: z.string(),
  version: z.string(),
  trace: z.string(),
  span: z.string(),
  weight: number,
  start: number,
  duration: number,
})

export const NOTHING_LOOKED_AT: Dependencies = { of: () => undefined, bad: 0 }

/**
 * @param within      where anything was bad: its newest day is looked at
 * @param keptFromMs  spans before it are gone
 * @param mayTell     whether the caller may read of a service; what he may not is not told
 * @throws StoreError
 */
export async function dependenciesOf(
  store: Pick<Store, 'ask'>,
  requests: BadRequests,
  within: TimeRange,
  keptFromMs: number,
  mayTell: (culprit: Culprit) => boolean,
): Promise<Dependencies> {
  const toMs = Math.min(requests.range.toMs, within.toMs)
  const fromMs = Math.max(requests.range.fromMs, within.fromMs, keptFromMs, toMs - NEWEST_MS)
  if (fromMs >= toMs) return NOTHING_LOOKED_AT
  const range = { fromMs, toMs }
  const conditions = conditionsOf({ ...requests, range }, SPANS_OF_REQUESTS)
  // The smallest hashes are a uniform sample that is the same each time.
  const sql = `SELECT service, operation, version, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, weight,
  toUnixTimestamp64Milli(ts) AS start, duration_ns AS duration
FROM spans WHERE ${conditions} ORDER BY sipHash64(trace_id), span_id LIMIT ${SAMPLE_MAX}`
  const question = { name: 'slo-ledger-sample', sql, parameters: z.object({}), row: Bad }
  const sample = await store.ask(question, {}, { lane: 'heavy' })
  const culprits = await culpritsOf(
    store,
    sample.map(({ trace, span, start, duration }) => ({ trace, span, startMs: start, durationNs: duration })),
  )
  const byRow = Map.groupBy(
    sample.map((bad, place) => ({ ...bad, name: nameOf(bad.service, culprits[place] ?? 'gap', mayTell) })),
    keyOf,
  )
  return {
    of: (row) => mostFrequent(byRow.get(keyOf(row)) ?? []),
    bad: sample.reduce((sum, { weight }) => sum + weight, 0) / EVENT_SCALE,
  }
}

const keyOf = ({ service, operation, version }: Pick<LedgerRow, 'service' | 'operation' | 'version'>) =>
  JSON.stringify([service, operation, version])

function nameOf(service: string, culprit: Culprit | Unknown, mayTell: (culprit: Culprit) => boolean): string {
  if (typeof culprit === 'string') return ''
  if (culprit.service === service) return culprit.peer
  return mayTell(culprit) ? `${culprit.service} ${culprit.version}`.trim() : ''
}

function mostFrequent(
  bad: readonly { readonly name: string; readonly weight: number }[],
): Dependency | undefined {
  const weights = new Map<string, number>()
  let all = 0
  for (const { name, weight } of bad) {
    weights.set(name, (weights.get(name) ?? 0) + weight)
    all += weight
  }
  const [most] = [...weights].toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
  return most === undefined || all === 0 ? undefined : { name: most[0], ratio: most[1] / all }
}
