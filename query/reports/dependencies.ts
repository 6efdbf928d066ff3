// Calls from and to some services, as they were observed.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { floorTo, sqlSecond, type TimeRange } from '../time-range.ts'

const question = statement(
  new URL('./dependencies.sql', import.meta.url),
  z.object({ services: z.array(z.string()), from: z.string(), to: z.string(), traffic: z.string() }),
  z.object({
    caller: z.string(),
    callee: z.string(),
    peer: z.string(),
    calls: z.coerce.number(),
    failed: z.coerce.number(),
  }),
)

const MINUTE_MS = 60_000

export type Call = {
  readonly caller: string
  /** Empty where no service answered; then there is a peer. */
  readonly callee: string
  readonly peer: string
  /** Thousandths, as is failed. */
  readonly calls: number
  readonly failed: number
}

/**
 * @param within  the whole minutes that it touches
 * @returns most calls first, 5,000 at most
 */
export async function observedCalls(
  store: Pick<Store, 'ask'>,
  services: readonly string[],
  within: TimeRange,
  traffic: string,
): Promise<Call[]> {
  if (services.length === 0) return []
  const asked = {
    from: sqlSecond(floorTo(within.fromMs, MINUTE_MS)),
    to: sqlSecond(within.toMs),
    services: [...services],
    traffic,
  }
  return store.ask(question, asked, { lane: 'heavy' })
}
