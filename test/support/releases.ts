// Steps and sightings for tests of the release ledger: what is not said is as tools leave it.

import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import type { Release } from '../../query/releases/release.ts'
import type { VersionSighting } from '../../query/releases/version-sighting.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
/** Midnight in UTC. */
export const T0_MS = Date.parse('2026-10-20T00:00:00Z')

/** @param minute  after T0; told and received then unless `receivedAt` says otherwise */
export function step(
  minute: number,
  given: Partial<ReleaseStep> & { readonly eventId: string },
): ReleaseStep {
  const at = T0_MS + minute * MINUTE_MS
  return {
    source: '/ci',
    tool: 'cdevents',
    kind: 'ready',
    changeType: 'code',
    at,
    receivedAt: at + 1000,
    service: 'pay',
    target: '',
    system: '',
    environment: 'prod',
    versionFrom: '',
    versionTo: '2.0',
    artifact: '',
    configHash: '',
    vcsRevision: '',
    pipeline: '',
    actor: '',
    ticket: '',
    releaseKey: '',
    orderId: '',
    batchNo: 0,
    batchTotal: 0,
    replicasNew: 0,
    replicasTotal: 0,
    scope: { selectors: [], weightPercent: undefined },
    parameters: {},
    isReversible: true,
    description: '',
    ...given,
  }
}

/** @param minutes  pairs of begin and end after T0, with 100 requests a minute */
export function seen(
  service: string,
  version: string,
  minutes: readonly (readonly [number, number])[],
  given: Partial<VersionSighting> & { readonly rate?: number } = {},
): VersionSighting {
  const { rate = 100, ...rest } = given
  return {
    service,
    version,
    environment: 'prod',
    system: 'core',
    stretches: minutes.map(([from, to]) => ({
      fromMs: T0_MS + from * MINUTE_MS,
      toMs: T0_MS + to * MINUTE_MS,
      requests: (to - from) * rate,
    })),
    ...rest,
  }
}

/** What a release carries that nobody told more of. */
export const UNTOLD = {
  orderId: '',
  vcsRevision: '',
  artifact: '',
  configHash: '',
  pipeline: '',
  actor: '',
  ticket: '',
  description: '',
  isReversible: true,
  parameterChanges: [],
  remarks: [],
} as const satisfies Partial<Release>
