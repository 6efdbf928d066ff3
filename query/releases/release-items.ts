// Releases as the API tells them.

import type { z } from 'zod'
import type { ReleaseItem, ReleaseReply, ReleaseVerdictWord, ScopeItem } from '../http/release-schemas.ts'
import { iso } from '../time-range.ts'
import type { Release } from './release.ts'

type Item = z.infer<typeof ReleaseItem>

export type VerdictOfItem = { readonly verdict: ReleaseVerdictWord; readonly headline: Item['headline'] }
/** @returns verdicts by id of release; those that were never judged are left out */
export type VerdictsOf = (ids: readonly string[]) => Promise<ReadonlyMap<string, VerdictOfItem>>

export const NO_VERDICTS: VerdictsOf = () => Promise.resolve(new Map())

const instant = (ms: number | undefined) => (ms === undefined ? null : iso(ms))

export const scopeItem = ({ selectors, weightPercent }: Release['scope']): z.infer<typeof ScopeItem> => ({
  selectors: selectors.map(({ attribute, match, values }) => ({ attribute, match, values: [...values] })),
  weightPercent: weightPercent ?? null,
})

export function releaseItem(release: Release, judged: VerdictOfItem | undefined): Item {
  const { startedAtMs, receivedAtMs, readyAtMs, endedAtMs } = release
  return {
    id: release.id,
    changeType: release.changeType,
    service: release.service,
    target: release.target,
    toldService: release.toldService,
    system: release.system,
    environment: release.environment,
    versionFrom: release.versionFrom,
    versionTo: release.versionTo,
    state: release.state,
    isImplicit: release.isImplicit,
    startedAt: iso(startedAtMs),
    receivedAt: instant(receivedAtMs),
    readyAt: instant(readyAtMs),
    readyFrom: release.readyFrom,
    endedAt: instant(endedAtMs),
    scope: scopeItem(release.scope),
    orderId: release.orderId,
    description: release.description,
    remarks: [...release.remarks],
    verdict: judged?.verdict ?? null,
    headline: judged?.headline ?? null,
  }
}

export function releaseReply(
  release: Release,
  judged: VerdictOfItem | undefined,
): z.infer<typeof ReleaseReply> {
  return {
    ...releaseItem(release, judged),
    vcsRevision: release.vcsRevision,
    artifact: release.artifact,
    configHash: release.configHash,
    pipeline: release.pipeline,
    actor: release.actor,
    ticket: release.ticket,
    isReversible: release.isReversible,
    parameterChanges: release.parameterChanges.map(({ name, before, after }) => ({
      name,
      before: before ?? null,
      after: after ?? null,
    })),
    stages: release.stages.map(({ kind, atMs, scope, source, eventId, ...told }) => ({
      kind,
      at: iso(atMs),
      scope: scopeItem(scope),
      source,
      eventId,
      ...told,
    })),
  }
}
