// What is told of a fault outward, as CDEvents in CloudEvents: that it was found and on whom it is blamed, once for each change of
// that, and which roll-back is suggested. Pure; the same decision gives the same ids and bytes.

import type { Fault } from '../../query/blame/case.ts'
import type { Explanation, RankedCause } from '../../query/http/fault-schemas.ts'
import type { Release } from '../../query/releases/release.ts'
import { iso } from '../../query/time-range.ts'
import type { CloudEvent } from './event-feed.ts'

export const INCIDENT_DETECTED = 'dev.cdevents.incident.detected.0.3.0'
export const ROLLBACK_SUGGESTED = 'dev.cdeventsx.surety-rollback.suggested.0.1.0'

const SPEC_VERSION = '0.5.1'
const SOURCE = '/surety/faults'
/** The specification asks for an environment; releases that nobody told of have none. */
const NO_ENVIRONMENT = 'unknown'

/** What is told of an explanation, to be compared with what was told before. */
export function toldOf({ verdict, ranked }: Explanation): string {
  const [top] = ranked
  const isNamed = verdict === 'blamed' || verdict === 'suspect'
  return isNamed && top !== undefined ? `${verdict} ${top.release}` : verdict
}

/**
 * @param number    of the decision among those of its fault, from 1
 * @param releases  those that the explanation was made from
 */
export function faultEvents(
  fault: Fault,
  explanation: Explanation,
  releases: readonly Release[],
  number: number,
): CloudEvent[] {
  const { verdict, ranked, decidedAt } = explanation
  const top = verdict === 'blamed' || verdict === 'suspect' ? ranked[0] : undefined
  const blamed = verdict === 'blamed' ? top : undefined
  const releaseOf = new Map(releases.map((release) => [release.id, release]))
  const environment = environmentOf(ranked, releaseOf)
  const id = `${fault.id}-${number}`
  const links = linksTo(top, releaseOf)
  const incident = cdEvent({
    id,
    type: INCIDENT_DETECTED,
    timestamp: decidedAt,
    links,
    subject: {
      id: fault.id,
      source: SOURCE,
      content: {
        description: explanation.headline.en,
        environment: { id: environment },
        service: { id: fault.place.service },
        ...(blamed === undefined ? {} : { artifactId: artifactOf(blamed, releaseOf) }),
      },
    },
    customData: {
      fault: {
        origin: fault.origin,
        name: fault.name,
        measure: fault.measure,
        place: fault.place,
        alarmAt: iso(fault.alarmAtMs),
      },
      verdict,
      headline: explanation.headline,
      onset: explanation.onset,
      cause: top ?? null,
      set: explanation.set,
      competing: explanation.competing.slice(0, 3),
      wouldDecide: explanation.wouldDecide,
    },
  })
  const { rollback } = explanation
  if (blamed === undefined || rollback === null || rollback.steps.length === 0) return [incident]
  const suggestion = cdEvent({
    id: `${id}-rollback`,
    type: ROLLBACK_SUGGESTED,
    timestamp: decidedAt,
    links: [...links, relation('CAUSED_BY', id)],
    subject: {
      id: `${fault.id}-rollback`,
      source: SOURCE,
      content: {
        incident: { id: fault.id, source: SOURCE },
        environment: { id: environment },
        service: { id: blamed.service },
        artifactId: artifactOf(blamed, releaseOf),
        steps: rollback.steps,
        expectedReliefRatio: rollback.expectedReliefRatio,
        isUnderWay: rollback.isUnderWay,
        warnings: rollback.warnings,
      },
    },
    customData: { verdict, posterior: blamed.posterior, headline: explanation.headline },
  })
  return [incident, suggestion]
}

type CdEvent = {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly links: readonly object[]
  readonly subject: { readonly id: string; readonly source: string; readonly content: object }
  readonly customData: object
}

function cdEvent({ id, type, timestamp, links, subject, customData }: CdEvent): CloudEvent {
  const context = { specversion: SPEC_VERSION, id, source: SOURCE, type, timestamp }
  return {
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    subject: subject.id,
    time: timestamp,
    datacontenttype: 'application/json',
    data: {
      context: links.length === 0 ? context : { ...context, links },
      subject,
      customData,
      customDataContentType: 'application/json',
    },
  }
}

const relation = (linkKind: string, contextId: string) => ({
  linkType: 'RELATION',
  linkKind,
  target: { contextId },
})

/** To the events that told of the release; nobody told of an implicit one. */
function linksTo(cause: RankedCause | undefined, releaseOf: ReadonlyMap<string, Release>): object[] {
  // What was noted before it, such as a ticket, is not what told of it.
  const first = releaseOf.get(cause?.release ?? '')?.stages.find(({ kind }) => kind !== 'noted')
  return first === undefined || first.eventId === '' ? [] : [relation('CAUSED_BY', first.eventId)]
}

function artifactOf(cause: RankedCause, releaseOf: ReadonlyMap<string, Release>): string {
  const artifact = releaseOf.get(cause.release)?.artifact ?? ''
  if (artifact.startsWith('pkg:')) return artifact
  return `pkg:generic/${encodeURIComponent(cause.service)}@${encodeURIComponent(cause.versionTo)}`
}

function environmentOf(ranked: readonly RankedCause[], releaseOf: ReadonlyMap<string, Release>): string {
  const named = ranked.map(({ release }) => releaseOf.get(release)?.environment ?? '')
  return named.find((environment) => environment !== '') ?? NO_ENVIRONMENT
}
