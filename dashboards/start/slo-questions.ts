// How the list of SLOs is fetched: everything when it fits into one answer, else the worst conditions first. Bounded
// in answers and rows, however many SLOs there are.

import type { SloItem, SlosReply } from '../../query/http/slo-schemas.ts'
import type { Api } from '../api.ts'
import { worstFirst } from './slo-order.ts'

export type SloWish = {
  readonly isAll: boolean
  /** Empty without. */
  readonly find: string
  readonly timeZone: string
}

export type SloList = {
  readonly items: readonly SloItem[]
  readonly counts: SlosReply['counts']
  readonly unmeasured: SlosReply['unmeasured']
  /** Whether these are all there are. */
  readonly isWhole: boolean
  /** Whether the filter was applied by the API, to names alone. */
  readonly isFound: boolean
}

/** Rows of one answer; more than a screen holds, and few enough to ask for every two seconds. */
const fewRows = 200
/** The API's own bound of one answer. */
const manyRows = 1000

/** @throws ApiError */
export async function askSlos(
  api: Pick<Api, 'slos'>,
  { isAll, find, timeZone }: SloWish,
  signal: AbortSignal,
): Promise<SloList> {
  const limit = isAll || find !== '' ? manyRows : fewRows
  const whole = await api.slos({ timeZone, limit }, signal)
  const { counts, unmeasured } = whole
  if (whole.next === null) return { items: whole.items, counts, unmeasured, isWhole: true, isFound: false }
  if (find !== '') {
    const found = await api.slos({ timeZone, limit, text: find }, signal)
    return { items: found.items, counts, unmeasured, isWhole: found.next === null, isFound: true }
  }
  // The API lists by name, so the worst are asked for by condition until there are enough.
  const items: SloItem[] = []
  for (const condition of worstFirst) {
    const room = limit - items.length
    if (room <= 0) break
    if ((counts[condition] ?? 0) === 0) continue
    // One after the other, because each says whether the next is wanted.
    items.push(...(await api.slos({ timeZone, limit: room, condition }, signal)).items)
  }
  return { items, counts, unmeasured, isWhole: false, isFound: false }
}

/** How long an answer may stand before it is asked for again: a long list costs the store and the line more. */
export function listEveryMs(list: SloList | undefined): number {
  return (list?.items.length ?? 0) > fewRows || list?.isWhole === false ? 10_000 : 2000
}
