// What the routes of SLOs share: the SLO that is asked about, zones, groups and ranges as far as anything is kept.

import { isTimeZone } from '../../calendar/zoned-time.ts'
import { mayRead } from '../../people/read-scope.ts'
import type { Board } from '../../promises/board.ts'
import type { Judged, Slo } from '../../promises/slos.ts'
import type { TimeRange } from '../../time-range.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest } from '../errors.ts'

/** @throws InvalidRequest */
export function knownZone(timeZone: string): string {
  if (!isTimeZone(timeZone))
    throw new InvalidRequest('timeZone', 'is no zone that is known here; write it as Asia/Shanghai')
  return timeZone
}

/** @returns undefined when there is none that the caller may read */
export async function readableSlo(
  board: Board,
  call: Parameters<typeof principalOf>[0],
  name: string,
): Promise<Slo | undefined> {
  const slo = (await board.slos()).slos.get(name)
  return slo !== undefined && mayRead(principalOf(call).scope, slo.system) ? slo : undefined
}

export const noSlo = (name: string) =>
  `There is no SLO «${name}» that is measured; GET /api/v1/registry/slos lists what is defined.`

/** @throws InvalidRequest */
export function objectiveOf(slo: Slo, objective: number): Judged {
  const judged = slo.judged.find((one) => one.objective === objective)
  if (judged === undefined) {
    const places = slo.judged.map((one) => one.objective).join(', ')
    throw new InvalidRequest('objective', `is none that is judged of «${slo.name}»; it has ${places}`)
  }
  return judged
}

/** @returns values of the group-by subjects; undefined: no group is named @throws InvalidRequest */
export function groupValues(group: string): readonly string[] | undefined {
  if (group === '') return undefined
  try {
    const values: unknown = JSON.parse(group)
    if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values
  } catch {
    // Told below.
  }
  throw new InvalidRequest('group', 'must be the groupKey of an item')
}

const KEPT_MS = 400 * 86_400_000

/** As far as slices and figures are kept, and no further than now. */
export function keptRange({ fromMs, toMs }: TimeRange, nowMs: number): TimeRange {
  const within = (ms: number) => Math.min(nowMs, Math.max(nowMs - KEPT_MS, ms))
  return { fromMs: within(fromMs), toMs: within(toMs) }
}
