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

/** The order of lists, the same on every machine, whatever its language. */
export function byPlace(one: Place, other: Place): number {
  const at = one.findIndex((value, place) => value !== other[place])
  const [value, against] = [one[at], other[at]]
  if (value === undefined || against === undefined) return 0
  return value < against ? -1 : 1
}
