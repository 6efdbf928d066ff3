// All causes that are no rollout, set against the releases on the same data: what a release explains as well does not count for a
// place, and the other way round.

import type { HYPOTHESES, Told } from '../http/fault-schemas.ts'
import type { FaultCase } from './case.ts'
import type { CaseColumns } from './case-columns.ts'
import { cellRaces, type ContrastFrame, type ExposureContrast } from './contrast.ts'
import type { Onset } from './onset.ts'
import { callerCauses, loadCause, originShares, peerCauses, scheduleCauses } from './other-causes.ts'
import { order, ownFailures, type OwnFailures, type PlaceCause } from './place-causes.ts'
import * as words from './words.ts'

export type CompetingCause = {
  readonly kind: (typeof HYPOTHESES)[number]
  readonly name: string
  readonly llr: number
  readonly text: Told
  /** The place, when it is one. */
  readonly place: PlaceCause | undefined
}

export type Competition = {
  readonly causes: readonly CompetingCause[]
  readonly own: OwnFailures
  readonly shares: ReturnType<typeof originShares>
  /** Best description of the failing rows by a slice of callers, as a gain and in words. */
  readonly slice: { readonly gain: number; readonly name: string }
}

export function competition(
  columns: CaseColumns,
  frame: ContrastFrame,
  onset: Onset,
  contrasts: readonly ExposureContrast[],
): Competition {
  const faultCase: FaultCase = columns.case
  const window = { from: frame.from, to: frame.to, phi: frame.phi }
  const own = ownFailures(faultCase, frame.from, frame.to, frame.phi)
  const shares = originShares(faultCase, frame.from, frame.to)
  const strong = faultCase.candidates.flatMap((candidate, index) => {
    const contrast = contrasts[index]
    return contrast !== undefined && contrast.z >= 3 && contrast.explained >= 0.5
      ? [{ service: candidate.release.service, version: candidate.release.versionTo }]
      : []
  })
  const causes: CompetingCause[] = []
  for (const place of own.causes) {
    const llr = placeLlr(place, own, strong)
    causes.push({ kind: place.kind, name: place.name, llr, text: words.competingWords.place(place), place })
  }
  const isOnly = (only: string): boolean =>
    strong.some(({ service, version }) => only === `${service} ${version}`)
  const load = loadCause(columns, onset, window)
  const others = [
    ...peerCauses(faultCase, window, shares),
    ...callerCauses(faultCase, window),
    ...(load === undefined ? [] : [load]),
    ...scheduleCauses(faultCase, onset, window),
  ]
  for (const cause of others)
    causes.push({
      kind: cause.kind,
      name: cause.name,
      llr: cause.onlyVersion !== '' && isOnly(cause.onlyVersion) ? Math.min(0, cause.llr - 8) : cause.llr,
      text: words.competingWords.other(cause),
      place: undefined,
    })
  const [best] = cellRaces(frame)
  const slice =
    best === undefined || best.race.gain < 3
      ? { gain: 0, name: '' }
      : { gain: best.race.gain, name: `${best.attribute} ${best.value}` }
  causes.push({
    kind: 'unknown',
    name: slice.name,
    llr: 0,
    text: words.competingWords.unknown(slice.name),
    place: undefined,
  })
  return {
    causes: causes.toSorted((a, b) => b.llr - a.llr || order(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`)),
    own,
    shares,
    slice,
  }
}

/** Services of a site, cluster or zone that must fail there before it is more than where a failing service runs. */
export function isBroad({ kind, servicesHit, servicesThere }: PlaceCause, except = ''): boolean {
  const hit = servicesHit.filter((service) => service !== except).length
  return kind === 'node' ? hit >= 2 : hit >= 3 && hit >= 0.3 * servicesThere
}

/** Own failures must keep to the place within one version, and be those of many services, to be the place's. */
function placeLlr(
  place: PlaceCause,
  own: OwnFailures,
  strong: readonly { readonly service: string; readonly version: string }[],
): number {
  if (place.share < 0.35) return Math.min(0, place.gain) - 1
  // What is gone within one version is that version's, which runs there: a canary has few instances.
  let llr = Math.min(8, place.gain, place.gainWithinVersion + 2) * place.share
  const broad = isBroad(place)
  if (broad) llr += 2
  // One service of many that fails in a place: callers of one region all go there. A place fails with what runs in it.
  else if (place.kind !== 'node' && place.servicesThere > 3) llr -= 7
  else if (place.servicesThere > 3) llr -= 3
  for (const { service, version } of strong) {
    const gain = own.gainOfVersion(service, version)
    if (gain < place.gain - 2) continue
    if (place.gainWithinVersion < 3 && !broad) llr = Math.min(llr, -2)
  }
  return llr
}
