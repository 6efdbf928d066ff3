// What tools tell of a simulated release: skewed, late, twice, under another name, or not at all. The engine's releases are made of
// this and of traffic by the same reconciliation as everywhere.

import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { reconcile } from '../../query/releases/reconcile.ts'
import type { Release } from '../../query/releases/release.ts'
import type { VersionSighting } from '../../query/releases/version-sighting.ts'
import { Random } from './random.ts'
import { DAY_MS, MINUTE_MS, readyMsOf, type SimRelease } from './rollouts.ts'
import type { Stream } from './stream.ts'
import type { World } from './world.ts'

export type TellingOptions = {
  /** Greatest skew of a tool's clock, either way; default the world's. */
  readonly skewMs?: number
  /** Share of the releases of which nothing is told; default the world's. */
  readonly missingRatio?: number
}

export type Telling = {
  readonly steps: readonly ReleaseStep[]
  /** Releases of which nothing is told, by key. */
  readonly missing: ReadonlySet<string>
}

const TOOLS = ['argo-rollouts', 'jenkins', 'cdevents-a', 'cdevents-b', 'console']

export function tell(
  world: World,
  releases: readonly SimRelease[],
  seed: readonly number[],
  options: TellingOptions = {},
): Telling {
  const { releases: rules } = world.file
  const random = new Random(...seed, 17)
  const greatest = options.skewMs ?? rules.skewSeconds * 1000
  const skews = TOOLS.map(() => random.between(-1, 1) * greatest)
  const missing = new Set<string>()
  const steps: ReleaseStep[] = []
  for (const [number, release] of releases.entries()) {
    // Every draw is made, so that one option changes one thing.
    const isMissing = random.next() < (options.missingRatio ?? rules.missingRatio)
    const isAlias = random.next() < rules.aliasRatio
    const tool = random.whole(TOOLS.length)
    if (isMissing) {
      missing.add(release.key)
      continue
    }
    const name = world.services[release.service]?.name ?? ''
    release.stages.forEach((stage, index) => {
      const isLate = random.chance(rules.lateRatio)
      const lateMs = random.between(1, rules.lateMinutes) * MINUTE_MS
      const isTwice = random.chance(rules.duplicateRatio)
      const step: ReleaseStep = {
        source: `/${TOOLS[tool] ?? ''}`,
        eventId: `e${String(number)}-${String(index)}`,
        tool: tool === 0 ? 'argo-rollouts' : tool === 1 ? 'generic' : 'cdevents',
        kind: stage.kind,
        changeType: release.changeType,
        at: Math.round(stage.atMs + (skews[tool] ?? 0)),
        receivedAt: Math.round(stage.atMs + (isLate ? lateMs : random.between(200, 4000))),
        service: isAlias ? `${name}-svc` : name,
        target: '',
        system: world.systems[name] ?? '',
        environment: '',
        versionFrom: release.versionFrom,
        versionTo: release.hasVersion ? release.versionTo : '',
        artifact: '',
        configHash: release.hasVersion ? '' : release.versionTo,
        vcsRevision: release.vcsRevision,
        pipeline: '',
        actor: '',
        ticket: '',
        releaseKey: `run-${String(number)}`,
        orderId: release.orderId,
        batchNo: 0,
        batchTotal: 0,
        replicasNew: 0,
        replicasTotal: 0,
        scope: stage.scope,
        parameters: release.hasVersion ? {} : { 'app.parameter': release.versionTo },
        isReversible: release.isReversible,
        description: '',
      }
      steps.push(step)
      if (isTwice) steps.push({ ...step, receivedAt: step.receivedAt + 1500 })
    })
  }
  return { steps, missing }
}

/** Sightings of versions until a minute, of the stream and, before it, of the plan. */
export function sightingsOf(stream: Stream, untilMinute: number): VersionSighting[] {
  const { world } = stream
  const sites = world.sites.length
  const byName = new Map(
    stream.releases.map((release) => [`${String(release.service)}|${release.versionTo}`, release]),
  )
  return stream.versions.flatMap(({ service, name }, id): VersionSighting[] => {
    let first: number | undefined
    let last: number | undefined
    let requests = 0
    for (let minute = stream.fromMinute; minute < untilMinute; minute += 1) {
      const calls = stream.callsOf(minute)
      let count = 0
      for (let site = 0; site < sites; site += 1) count += calls[id * sites + site] ?? 0
      if (count === 0) continue
      first ??= minute
      last = minute
      requests += count
    }
    const release = byName.get(`${String(service)}|${name}`)
    const before = release === undefined ? stream.fromMinute * MINUTE_MS - 5 * DAY_MS : readyMsOf(release)
    const fromMs =
      before < stream.fromMinute * MINUTE_MS
        ? Math.floor(before / MINUTE_MS) * MINUTE_MS
        : first === undefined
          ? undefined
          : first * MINUTE_MS
    if (fromMs === undefined) return []
    const toMs = last === undefined ? stream.fromMinute * MINUTE_MS : (last + 1) * MINUTE_MS
    const { name: called = '', system = '' } = world.services[service] ?? {}
    return [
      {
        service: called,
        version: name,
        environment: '',
        system,
        stretches: [{ fromMs, toMs: Math.max(toMs, fromMs + MINUTE_MS), requests: Math.max(1, requests) }],
      },
    ]
  })
}

/** Releases as they are known at an instant. */
export function releasesAt(stream: Stream, telling: Telling, nowMs: number): readonly Release[] {
  return reconcile({
    steps: telling.steps.filter(({ receivedAt }) => receivedAt <= nowMs),
    sightings: sightingsOf(stream, Math.min(stream.minute, Math.floor(nowMs / MINUTE_MS))),
    names: new Map(),
    systems: new Map(Object.entries(stream.world.systems)),
    nowMs,
    knownFromMs: stream.fromMinute * MINUTE_MS - 4 * DAY_MS,
    grayOpenDays: 7,
  })
}

/** The simulated release that a known one is; undefined when it is of the reconciliation's own making. */
export function simulatedOf(world: World, releases: readonly SimRelease[], known: Release): number {
  return releases.findIndex(
    (release) =>
      world.services[release.service]?.name === known.service &&
      (release.hasVersion
        ? known.changeType === 'code' && known.versionTo === release.versionTo
        : known.changeType !== 'code' &&
          (known.configHash === release.versionTo || known.versionTo === release.versionTo)),
  )
}
