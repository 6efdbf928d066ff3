// What was only noted (tickets, approvals, merged changes, runs of pipelines) beside the releases that it belongs to: those of its
// chain or of the event it points to, else of its ticket, else of its order, else of its artifact, else the nearest of its service. Pure.

import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { instantOfStep } from './clock-skew.ts'
import { isSameEnvironment } from './environment-class.ts'
import { identityOf, type NamedStep } from './group-steps.ts'
import type { Draft } from './reconcile-view.ts'
import type { ReleaseStage } from './release.ts'
import { isSameVersion } from './version-match.ts'

/** Of a service alone a note tells within so long of its release: longer, and it is as likely another's. */
const NEAR_MS = 6 * 3_600_000
/** Shown beside one release, the newest. */
export const NOTES_MAX = 100

/**
 * @param steps  all that were told, under telemetry's names where they name a service
 * @returns the drafts, with what is noted of each among its stages; ticket and pipeline of it where the release says none
 */
export function withNotes(
  drafts: readonly Draft[],
  steps: readonly NamedStep[],
  skews: ReadonlyMap<string, number>,
): readonly Draft[] {
  const held = new Set(drafts.flatMap(({ group }) => group?.steps.map(keyOfStep) ?? []))
  const loose = steps.filter((step) => step.kind === 'noted' && !held.has(keyOfStep(step)))
  if (loose.length === 0) return drafts
  const index = indexOf(drafts)
  const notes = new Map<Draft, NamedStep[]>()
  for (const note of loose) {
    for (const draft of belongsTo(note, index)) {
      const list = notes.get(draft)
      if (list === undefined) notes.set(draft, [note])
      else list.push(note)
    }
  }
  return drafts.map((draft) => {
    const own = notes.get(draft)
    return own === undefined ? draft : noted(draft, own, skews)
  })
}

const keyOfStep = (step: ReleaseStep) => JSON.stringify([identityOf(step), step.service, step.target])

type Index = {
  readonly byKey: ReadonlyMap<string, readonly Draft[]>
  readonly byTicket: ReadonlyMap<string, readonly Draft[]>
  readonly byOrder: ReadonlyMap<string, readonly Draft[]>
  readonly byArtifact: ReadonlyMap<string, readonly Draft[]>
  readonly byService: ReadonlyMap<string, readonly Draft[]>
}

function indexOf(drafts: readonly Draft[]): Index {
  const by = (keysOf: (draft: Draft) => readonly string[]) => {
    const found = new Map<string, Draft[]>()
    for (const draft of drafts)
      for (const key of new Set(keysOf(draft))) {
        if (key === '') continue
        const list = found.get(key)
        if (list === undefined) found.set(key, [draft])
        else list.push(draft)
      }
    return found
  }
  const told = (draft: Draft, field: 'ticket' | 'orderId' | 'artifact') => [
    draft.release[field],
    ...(draft.group?.steps.map((step) => step[field]) ?? []),
  ]
  return {
    // A chain, or an event of it.
    byKey: by(({ group }) => group?.steps.flatMap(({ releaseKey, eventId }) => [releaseKey, eventId]) ?? []),
    byTicket: by((draft) => told(draft, 'ticket')),
    byOrder: by((draft) => told(draft, 'orderId')),
    byArtifact: by((draft) => told(draft, 'artifact')),
    byService: by(({ release }) => [release.service || release.target]),
  }
}

function belongsTo(note: NamedStep, index: Index): readonly Draft[] {
  const isOfSubject = ({ release }: Draft) =>
    (note.service === '' || note.service === release.service) &&
    (note.target === '' || note.target === release.target)
  const pointed = [
    index.byKey.get(note.releaseKey),
    index.byTicket.get(note.ticket),
    index.byOrder.get(note.orderId),
    // Where the order is a ticket itself (发布单).
    index.byOrder.get(note.ticket),
    index.byArtifact.get(note.artifact),
  ]
  for (const drafts of pointed) {
    const own = drafts?.filter(isOfSubject) ?? []
    if (own.length > 0) return own
  }
  const near = (index.byService.get(note.service || note.target) ?? [])
    .filter((draft) => isOfSubject(draft) && isNear(note, draft))
    .toSorted((a, b) => distance(note, a) - distance(note, b) || (a.release.id < b.release.id ? -1 : 1))
  return near.slice(0, 1)
}

const distance = (note: NamedStep, { release }: Draft) => Math.abs(note.at - release.startedAtMs)

function isNear(note: NamedStep, { release }: Draft): boolean {
  const untilMs = Math.max(release.startedAtMs, release.readyAtMs ?? 0, release.endedAtMs ?? 0) + NEAR_MS
  return (
    note.at >= release.startedAtMs - NEAR_MS &&
    note.at <= untilMs &&
    isSameEnvironment(note.environment, release.environment) &&
    (note.versionTo === '' || isSameVersion(note.versionTo, release.versionTo))
  )
}

function noted(draft: Draft, notes: readonly NamedStep[], skews: ReadonlyMap<string, number>): Draft {
  const { release } = draft
  const shown = notes
    .toSorted((a, b) => a.at - b.at || (keyOfStep(a) < keyOfStep(b) ? -1 : 1))
    .slice(-NOTES_MAX)
  const only = (field: 'ticket' | 'pipeline') => {
    const told = [...new Set(shown.map((note) => note[field]))].filter((text) => text !== '')
    return told.length === 1 ? (told[0] ?? '') : ''
  }
  const stages = shown.map((note): ReleaseStage => {
    const { kind, scope, source, eventId, actor, description, ticket, pipeline } = note
    return {
      kind,
      atMs: instantOfStep(note, skews),
      scope,
      source,
      eventId,
      ...(actor === '' ? {} : { actor }),
      ...(description === '' ? {} : { description }),
      ...(ticket === '' ? {} : { ticket }),
      ...(pipeline === '' ? {} : { pipeline }),
    }
  })
  return {
    ...draft,
    release: {
      ...release,
      ticket: release.ticket || only('ticket'),
      pipeline: release.pipeline || only('pipeline'),
      stages: [...release.stages, ...stages].toSorted((a, b) => a.atMs - b.atMs),
    },
  }
}
