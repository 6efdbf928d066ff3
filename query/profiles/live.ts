// What telemetry shows of services in a range, by the system that they are part of, as far as a caller may read.

import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { ServiceItem } from '../http/schemas.ts'
import { bad } from '../reports/services.ts'
import { systemOf, type Landscape } from './landscape.ts'

export type Seen = {
  readonly fromMs: number
  readonly toMs: number
  readonly items: readonly ServiceItem[]
}

export type LiveFigures = {
  readonly requests: number
  readonly ratePerSecond: number
  readonly errorRatio: number | null
  readonly lastSeenAt: string | null
}

/** @returns the same, without what the caller may not read, each with the system that counts; undefined: none */
export function readable(
  { items }: Seen,
  landscape: Landscape,
  reads: ReadScope,
): readonly { readonly item: ServiceItem; readonly system: string | undefined }[] {
  return items
    .map((item) => ({ item, system: systemOf(landscape, item.service, item.system) }))
    .filter(({ system }) => mayRead(reads, system))
}

/** Services and versions taken as one. */
export function figuresOf(items: readonly ServiceItem[], { fromMs, toMs }: Seen): LiveFigures {
  const requests = items.reduce((sum, item) => sum + item.requests, 0)
  const failed = items.reduce((sum, { outcomes }) => sum + bad(outcomes), 0)
  const last = items.map(({ lastSeenAt }) => lastSeenAt).toSorted()
  return {
    requests,
    ratePerSecond: requests / ((toMs - fromMs) / 1000),
    errorRatio: requests === 0 ? null : failed / requests,
    lastSeenAt: last.at(-1) ?? null,
  }
}
