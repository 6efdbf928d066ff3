// The losses of a business transaction as one caller may see them: with their owners, and what he may not read as one.

import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { JourneyReply, LossItem } from '../http/journey-schemas.ts'
import type { JourneyLosses, Loss } from '../reports/journey-losses.ts'
import { ownerOf, systemOf, type Landscape } from './landscape.ts'

const NOBODY = {
  reason: null,
  service: null,
  version: null,
  operation: null,
  system: null,
  peer: null,
  isRegistered: false,
  team: null,
} as const

type Owner = JourneyReply['owners'][number]

/** @returns items and owners that add up to what was looked at */
export function lossesFor(
  { losses, attributed }: Pick<JourneyLosses, 'losses' | 'attributed'>,
  landscape: Landscape,
  reads: ReadScope,
): Pick<JourneyReply, 'items' | 'owners'> {
  const share = (weight: number) => ({ lost: weight / 1000, share: weight / attributed })
  const said: { readonly item: Omit<LossItem, 'lost' | 'share'>; readonly weight: number }[] = []
  let hidden: Loss | undefined
  for (const loss of losses) {
    const item = itemOf(loss, landscape)
    if (item.system === null || mayRead(reads, item.system === '' ? undefined : item.system))
      said.push({ item, weight: loss.weight })
    else
      hidden = {
        culprit: loss.culprit,
        weight: loss.weight + (hidden?.weight ?? 0),
        entries: loss.entries + (hidden?.entries ?? 0),
        exampleTraceIds: [],
      }
  }
  if (hidden !== undefined)
    said.push({
      item: { ...NOBODY, kind: 'hidden', entries: hidden.entries, exampleTraceIds: [] },
      weight: hidden.weight,
    })
  const inOrder = said.toSorted((a, b) => b.weight - a.weight)
  const owners = new Map<string, { readonly owner: Pick<Owner, 'kind' | 'team'>; readonly weight: number }>()
  for (const { item, weight } of inOrder) {
    const owner = ownerIn(item)
    const key = JSON.stringify(owner)
    owners.set(key, { owner, weight: weight + (owners.get(key)?.weight ?? 0) })
  }
  return {
    items: inOrder.map(({ item, weight }) => ({ ...item, ...share(weight) })),
    owners: [...owners.values()]
      .toSorted((a, b) => b.weight - a.weight)
      .map(({ owner, weight }) => ({ ...owner, ...share(weight) })),
  }
}

function itemOf({ culprit, entries, exampleTraceIds }: Loss, landscape: Landscape) {
  const seen = { entries, exampleTraceIds: [...exampleTraceIds] }
  if (typeof culprit === 'string') return { ...NOBODY, kind: 'unknown' as const, reason: culprit, ...seen }
  const { service, version, operation, system, peer } = culprit
  return {
    kind: 'span' as const,
    reason: null,
    service,
    version,
    operation,
    system: systemOf(landscape, service, system) ?? '',
    peer,
    isRegistered: landscape.services.has(service),
    team: ownerOf(landscape, service, system) ?? null,
    ...seen,
  }
}

function ownerIn({ kind, team }: Pick<LossItem, 'kind' | 'team'>): Pick<Owner, 'kind' | 'team'> {
  if (kind !== 'span') return { kind, team: null }
  return team === null ? { kind: 'nobody', team } : { kind: 'team', team }
}
