// The lost requests of one business transaction, each put down to the span that is responsible.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { TimeRange } from '../time-range.ts'
import { culpritsOf, type Culprit, type Unknown } from './culprits.ts'
import { journeyLimits, journeyLimitsShape, type JourneyScope } from './journeys.ts'

const count = z.coerce.number()
const Entry = z
  .tuple([z.string(), z.string(), z.string(), count, count, count])
  .transform(([, trace, span, weight, startMs, durationNs]) => ({ trace, span, weight, startMs, durationNs }))
type Entry = z.infer<typeof Entry>
const lossesQuestion = statement(
  new URL('./journey-losses.sql', import.meta.url),
  z.object({ ...journeyLimitsShape, code: z.string() }),
  z.object({
    requests: count,
    lost: count,
    lost_entries: count,
    p95: z.number().nullable(),
    entries: z.array(Entry),
  }),
)

export type Loss = {
  readonly culprit: Culprit | Unknown
  /** Thousandths of a request. */
  readonly weight: number
  readonly entries: number
  /** Up to three. */
  readonly exampleTraceIds: readonly string[]
}

export type JourneyLosses = {
  /** Thousandths, as are lost and attributed. */
  readonly requests: number
  readonly lost: number
  readonly p95Ns: number | undefined
  readonly lostEntries: number
  /** Looked at: all of them, or a uniform sample by trace id. */
  readonly entries: number
  /** What the losses add up to, exactly. */
  readonly attributed: number
  /** Largest first. */
  readonly losses: readonly Loss[]
}

const EXAMPLES_MAX = 3

/** @param within  at its end, entries whose other spans are still on their way are put down to whoever is known to have failed */
export async function journeyLosses(
  store: Pick<Store, 'ask'>,
  code: string,
  within: TimeRange,
  scope: JourneyScope,
): Promise<JourneyLosses> {
  const [row] = await store.ask(lossesQuestion, { ...journeyLimits(within, scope), code }, { lane: 'heavy' })
  const entries = row?.entries ?? []
  const culprits = await culpritsOf(store, entries)
  return {
    requests: row?.requests ?? 0,
    lost: row?.lost ?? 0,
    p95Ns: row === undefined || row.requests === 0 ? undefined : (row.p95 ?? undefined),
    lostEntries: row?.lost_entries ?? 0,
    entries: entries.length,
    attributed: entries.reduce((sum, { weight }) => sum + weight, 0),
    losses: tally(entries, culprits),
  }
}

function tally(entries: readonly Entry[], culprits: readonly (Culprit | Unknown)[]): Loss[] {
  const losses = new Map<string, Loss>()
  entries.forEach(({ trace, weight }, index) => {
    const culprit = culprits[index] ?? 'gap'
    const key = JSON.stringify(culprit)
    const known = losses.get(key) ?? { culprit, weight: 0, entries: 0, exampleTraceIds: [] }
    const examples = known.exampleTraceIds
    const isNew = examples.length < EXAMPLES_MAX && !examples.includes(trace)
    losses.set(key, {
      culprit,
      weight: known.weight + weight,
      entries: known.entries + 1,
      exampleTraceIds: isNew ? [...examples, trace] : examples,
    })
  })
  return [...losses.entries()]
    .toSorted(([a, one], [b, other]) => other.weight - one.weight || (a < b ? -1 : 1))
    .map(([, loss]) => loss)
}
