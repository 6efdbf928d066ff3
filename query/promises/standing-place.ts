// The place of what is judged by itself in a list: by name, objective and group. Pages of a list go on behind one.

import { z } from 'zod'
import type { TrackName } from './status-store.ts'

/** Name of the SLO, place of the objective, group. */
export const Place = z.tuple([z.string(), z.number(), z.string()])
export type Place = z.infer<typeof Place>

type Named = Pick<TrackName, 'group'> & {
  readonly slo: { readonly name: string }
  readonly judged: { readonly objective: number }
}

export const placeOf = ({ slo, judged, group }: Named): Place => [slo.name, judged.objective, group]

/** The same order on every machine, whatever its language. */
export function byPlace(one: Place, other: Place): number {
  for (const [at, value] of one.entries()) {
    const against = other[at] ?? value
    if (value !== against) return value < against ? -1 : 1
  }
  return 0
}
