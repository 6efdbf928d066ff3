// Whether telemetry was heard: a slice without events was measured only when whoever would have sent them was. Known from the
// requests of any traffic, health checks and probes among them, by service.

import { z } from 'zod'
import type { Statement, Store } from '../../ingest/store/store.ts'
import type { RequestIndicator } from '../slo/model.ts'
import { instant } from './families.ts'

/** A service that is heard so close before or after is taken to have had nothing to tell in between, s. */
const QUIET_SECONDS = 60

export interface Heard {
  /** @param startSecond  start of a slice, s since epoch */
  by(indicator: RequestIndicator, startSecond: number): boolean
}

const Row = z.object({ service: z.string(), at: z.array(z.coerce.number()) })

/** @throws StoreError */
export async function heardIn(
  store: Pick<Store, 'ask'>,
  stepSeconds: 10 | 60,
  fromSecond: number,
  toSecond: number,
): Promise<Heard> {
  const table = stepSeconds === 10 ? 'requests_10s' : 'service_requests_1m'
  const question: Statement<Record<string, never>, z.infer<typeof Row>> = {
    name: 'slo-heard',
    sql: `SELECT service, groupUniqArray(toUnixTimestamp(toStartOfInterval(bucket, toIntervalSecond(${stepSeconds})))) AS at
FROM ${table} WHERE bucket >= ${instant(fromSecond - QUIET_SECONDS)} AND bucket < ${instant(toSecond + QUIET_SECONDS)} GROUP BY service`,
    parameters: z.object({}),
    row: Row,
  }
  const rows = await store.ask(question, {}, { lane: 'heavy', threadsMax: 1, secondsMax: 60 })
  const all = new Set<number>()
  const services = new Map<string, Set<number>>()
  for (const { service, at } of rows) {
    services.set(service, new Set(at))
    for (const second of at) all.add(second)
  }
  const reach = Math.ceil(QUIET_SECONDS / stepSeconds)
  const isNear = (slices: ReadonlySet<number>, start: number, first: number, last: number) => {
    for (let away = first; away <= last; away += 1) if (slices.has(start + away * stepSeconds)) return true
    return false
  }
  return {
    by(indicator, startSecond) {
      // Of others at least, or of anybody before and after: else nothing came in at all.
      const isAnyHeard =
        all.has(startSecond) || (isNear(all, startSecond, -reach, -1) && isNear(all, startSecond, 1, reach))
      if (!isAnyHeard) return false
      const named = servicesOf(indicator)
      return (
        named === undefined ||
        named.some((service) => isNear(services.get(service) ?? new Set(), startSecond, -reach, reach))
      )
    },
  }
}

/** The services that an indicator names; undefined: any may send. */
export function servicesOf({ where }: RequestIndicator): readonly string[] | undefined {
  return where.find(
    ({ subject, isExcluded }) => !isExcluded && subject.kind === 'dimension' && subject.name === 'service',
  )?.values
}
