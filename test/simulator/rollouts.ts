// What goes out in a simulated world: releases with the truth about them (when each stage really began, whom it served). What tools
// tell of them is made elsewhere (told.ts).

import type { ChangeType, ReleaseScope, StepKind } from '../../ingest/records/release-step.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

export type SimStage = {
  readonly atMs: number
  readonly kind: StepKind
  /** By place: 1 inside; undefined: everywhere. */
  readonly mask: Uint8Array | undefined
  /** Share of the requests inside, 0–1. */
  readonly weight: number
  readonly scope: ReleaseScope
}

export type SimRelease = {
  /** The simulator's own name of it; in no event. */
  readonly key: string
  readonly changeType: ChangeType
  readonly service: number
  readonly versionFrom: string
  readonly versionTo: string
  /** Whether spans carry its version. */
  readonly hasVersion: boolean
  readonly stages: readonly SimStage[]
  readonly orderId: string
  readonly batchNo: number
  readonly batchTotal: number
  readonly vcsRevision: string
  readonly isReversible: boolean
}

export const EVERYBODY: ReleaseScope = { selectors: [], weightPercent: undefined }

/** The stage that holds at an instant; undefined before the first. */
export function stageAt(release: SimRelease, atMs: number): SimStage | undefined {
  return release.stages.findLast((stage) => stage.atMs <= atMs)
}

export const readyMsOf = (release: SimRelease): number =>
  release.stages.find(({ weight }) => weight > 0)?.atMs ?? Infinity

export const STYLES = [
  'weight',
  'region',
  'branches',
  'teller',
  'full',
  'config',
  'config-region',
  'flag',
  'schema',
] as const
export type Style = (typeof STYLES)[number]

const isConfigStyle = (style: Style) =>
  style === 'config' || style === 'config-region' || style === 'flag' || style === 'schema'

type Draft = {
  readonly service: number
  readonly style: Style
  /** First traffic on it. */
  readonly readyMs: number
  /** Minutes from stage to stage; default drawn. */
  readonly stepMinutes?: number
  /** How far it gets; default all stages. */
  readonly stagesMax?: number
  /** Place that a gray scope has to hold; default drawn. */
  readonly place?: number
  readonly firstWeight?: number
  readonly orderId?: string
}

let numbered = 0
/** Versions are told apart by number alone: two runs with the same seed must name them the same. */
export function resetNumbers(): void {
  numbered = 0
}

export function makeRelease(world: World, random: Random, draft: Draft): SimRelease {
  numbered += 1
  const service = world.services[draft.service]
  if (service === undefined) throw new RangeError(`There is no service ${String(draft.service)}.`)
  const place = draft.place ?? random.weighted(placeWeights(world))
  const step = (draft.stepMinutes ?? random.logBetween(8, 90)) * MINUTE_MS
  const planned = plannedStages(world, random, draft, place).slice(0, draft.stagesMax ?? 9)
  const stages = planned.map((stage, index): SimStage => {
    const at = draft.readyMs + index * step * (index === 0 ? 1 : random.between(0.8, 1.2))
    return { ...stage, atMs: Math.round(index === 0 ? draft.readyMs : at) }
  })
  const isConfig = isConfigStyle(draft.style)
  return {
    key: `${service.name}#${String(numbered)}`,
    changeType:
      draft.style === 'flag' ? 'flag' : draft.style === 'schema' ? 'schema' : isConfig ? 'config' : 'code',
    service: draft.service,
    versionFrom: isConfig ? '' : '1.0.0',
    versionTo: isConfig ? `rev-${String(1000 + numbered)}` : `1.${String(numbered)}.0`,
    hasVersion: !isConfig,
    stages,
    orderId: draft.orderId ?? '',
    batchNo: 0,
    batchTotal: 0,
    vcsRevision: random
      .whole(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
    isReversible: draft.style !== 'schema',
  }
}

/** One more stage at its end. */
export function takenBack(release: SimRelease, atMs: number): SimRelease {
  const kept = release.stages.filter((stage) => stage.atMs < atMs)
  return {
    ...release,
    stages: [...kept, { atMs, kind: 'rolled_back', mask: undefined, weight: 0, scope: EVERYBODY }],
  }
}

type Planned = Omit<SimStage, 'atMs'>

function plannedStages(world: World, random: Random, draft: Draft, place: number): Planned[] {
  const chosen = world.places[place]
  if (chosen === undefined) throw new RangeError(`There is no place ${String(place)}.`)
  const inside = (test: (other: (typeof world.places)[number]) => boolean): Uint8Array =>
    Uint8Array.from(world.places, (other) => (test(other) ? 1 : 0))
  const selected = (attribute: string, values: readonly string[]): ReleaseScope => ({
    selectors: [{ attribute, match: 'exact', values }],
    weightPercent: undefined,
  })
  const region: Planned = {
    kind: 'step',
    mask: inside((other) => other.region === chosen.region),
    weight: 1,
    scope: selected('region', [chosen.region]),
  }
  const all: Planned = { kind: 'completed', mask: undefined, weight: 1, scope: EVERYBODY }
  const branch: Planned = {
    kind: 'step',
    mask: inside((other) => other.branch === chosen.branch),
    weight: 1,
    scope: selected('branch', [chosen.branch]),
  }
  const weighted = (share: number): Planned => ({
    kind: 'step',
    mask: undefined,
    weight: share,
    scope: { selectors: [], weightPercent: share * 100 },
  })
  switch (draft.style) {
    case 'weight': {
      const first = draft.firstWeight ?? random.pick([0.01, 0.05, 0.1, 0.2])
      return [weighted(first), ...[0.2, 0.5].filter((share) => share > first).map(weighted), all]
    }
    case 'region':
    case 'config-region':
      return [region, all]
    case 'branches': {
      const same = [
        ...new Set(
          world.places.filter((other) => other.region === chosen.region).map((other) => other.branch),
        ),
      ]
      const list = [
        chosen.branch,
        ...random.shuffled(same.filter((name) => name !== chosen.branch)).slice(0, 2),
      ]
      return [
        {
          kind: 'step',
          mask: inside((other) => list.includes(other.branch)),
          weight: 1,
          scope: selected('branch', list.toSorted()),
        },
        region,
        all,
      ]
    }
    case 'teller':
      return [
        {
          kind: 'step',
          mask: inside((other) => other.branch === chosen.branch && other.teller === chosen.teller),
          weight: 1,
          scope: {
            selectors: [
              { attribute: 'branch', match: 'exact', values: [chosen.branch] },
              { attribute: 'teller', match: 'exact', values: [chosen.teller] },
            ],
            weightPercent: undefined,
          },
        },
        branch,
        region,
        all,
      ]
    case 'full':
    case 'config':
    case 'flag':
    case 'schema':
      return [all]
  }
}

/** How much traffic a place has, over all entries. */
export function placeWeights(world: World): number[] {
  return world.places.map((_, place) =>
    world.entries.reduce((sum, { rates }) => sum + (rates[place] ?? 0), 0),
  )
}
