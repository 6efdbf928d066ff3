// What is defined of a system, as answers tell it: its tier with what the tier promises, and what the system promises in its place.

import { TIERS, type Tier } from '../registry/tiers.ts'
import type { SystemItem } from '../http/profile-schemas.ts'
import type { KnownSystem } from './landscape.ts'

type Defined = Pick<
  SystemItem,
  | 'displayName'
  | 'tier'
  | 'promise'
  | 'team'
  | 'organisation'
  | 'type'
  | 'origin'
  | 'vendor'
  | 'topology'
  | 'sites'
>

/** @param system  undefined: not registered */
export function definedOf(system: KnownSystem | undefined): Defined {
  if (system === undefined)
    return {
      displayName: null,
      tier: null,
      promise: null,
      team: null,
      organisation: null,
      type: null,
      origin: null,
      vendor: null,
      topology: null,
      sites: [],
    }
  const { metadata, owner, spec } = system
  return {
    displayName: metadata.displayName ?? null,
    tier: spec.tier,
    promise: promiseOf(TIERS[spec.tier], spec.recovery ?? {}),
    team: owner ?? spec.team,
    organisation: spec.organisation ?? null,
    type: spec.type,
    origin: spec.origin,
    vendor: spec.vendor ?? null,
    topology: spec.topology,
    sites: spec.sites,
  }
}

const FIGURES = ['rtoSeconds', 'rpoSeconds', 'downtimeSecondsPerYear', 'availability'] as const

function promiseOf(tier: Tier, own: { readonly [Figure in keyof Tier]?: number | undefined }) {
  const overridden = FIGURES.filter((figure) => own[figure] !== undefined)
  return {
    rtoSeconds: own.rtoSeconds ?? tier.rtoSeconds,
    rpoSeconds: own.rpoSeconds ?? tier.rpoSeconds,
    downtimeSecondsPerYear: own.downtimeSecondsPerYear ?? tier.downtimeSecondsPerYear,
    availability: own.availability ?? tier.availability,
    overridden,
  }
}
