// Business transactions: requests by bank.txn.code, judged where they enter the bank.

import { z } from 'zod'
import { sqlMillisecond, statement, type Store } from '../../ingest/store/store.ts'
import type { JourneyItem } from '../http/journey-schemas.ts'
import type { TimeRange } from '../time-range.ts'

const count = z.coerce.number()

/** What every question about journeys is limited to. */
const limits = {
  from: z.string(),
  to: z.string(),
  traffic: z.string(),
  everything: z.number().int(),
  systems: z.array(z.string()),
  own: z.array(z.string()),
  others: z.array(z.string()),
}
const journeyRow = z.object({ code: z.string(), requests: count, lost: count, p95: z.number().nullable() })
const journeysQuestion = statement(
  new URL('./journeys.sql', import.meta.url),
  z.object({
    ...limits,
    first: z.number().int(),
    lost: z.string(),
    requests: z.string(),
    code: z.string(),
    limit: z.number().int(),
  }),
  journeyRow,
)

/** Which services' entry spans count. */
export type EntryScope = {
  /** As spans name them; spans that name none count. */
  readonly systems: readonly string[]
  /** Services that count whatever their spans say, and those that do not. */
  readonly own: readonly string[]
  readonly others: readonly string[]
}

export type JourneyScope = {
  readonly traffic: string
  /** undefined: all. */
  readonly entries: EntryScope | undefined
}

/** Where a page ended: the figures by which journeys are in order, in thousandths. */
export type JourneyPlace = { readonly lost: number; readonly requests: number; readonly code: string }

export type FoundJourney = { readonly item: JourneyItem; readonly place: JourneyPlace }

/** What binds for a range and a scope. */
export const journeyLimits = ({ fromMs, toMs }: TimeRange, { traffic, entries }: JourneyScope) => ({
  from: sqlMillisecond(fromMs),
  to: sqlMillisecond(toMs),
  traffic,
  everything: entries === undefined ? 1 : 0,
  systems: [...(entries?.systems ?? [])],
  own: [...(entries?.own ?? [])],
  others: [...(entries?.others ?? [])],
})
export const journeyLimitsShape = limits

/** @returns most lost first, those after a place */
export async function journeys(
  store: Pick<Store, 'ask'>,
  range: TimeRange,
  scope: JourneyScope,
  limit: number,
  after?: JourneyPlace,
): Promise<FoundJourney[]> {
  const place = {
    first: after === undefined ? 1 : 0,
    lost: String(after?.lost ?? 0),
    requests: String(after?.requests ?? 0),
    code: after?.code ?? '',
  }
  const asked = { ...journeyLimits(range, scope), ...place, limit }
  const rows = await store.ask(journeysQuestion, asked, { lane: 'heavy' })
  return rows.map(({ code, requests, lost, p95 }) => ({
    item: {
      txnCode: code,
      requests: requests / 1000,
      lost: lost / 1000,
      lossRatio: requests === 0 ? null : lost / requests,
      p95Ms: requests === 0 || p95 === null ? null : p95 / 1e6,
    },
    place: { lost, requests, code },
  }))
}
