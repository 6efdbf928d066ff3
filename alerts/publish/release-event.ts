// What is told of a verdict outward: a custom CDEvent in a CloudEvent, when a release turns out worse, and when it is found not to be
// after all. Pure; the same change gives the same id and bytes.

import type { ReleaseVerdict, ReleaseVerdictWord } from '../../query/http/release-schemas.ts'
import type { Release } from '../../query/releases/release.ts'
import type { CloudEvent } from './event-feed.ts'

export const VERDICT_CHANGED = 'dev.cdeventsx.surety-verdict.changed.0.1.0'

const SPEC_VERSION = '0.5.1'
const SOURCE = '/surety/releases'

/** @param number  of the change among all there were */
export function verdictEvents(
  release: Release,
  verdict: ReleaseVerdict,
  was: ReleaseVerdictWord | undefined,
  number: number,
): CloudEvent[] {
  if (verdict.verdict !== 'worse' && was !== 'worse') return []
  const id = `verdict-${number}`
  // What was noted before it, such as a ticket, is not what told of it.
  const first = release.stages.find(({ kind }) => kind !== 'noted')
  const links =
    first === undefined || first.eventId === ''
      ? {}
      : { links: [{ linkType: 'RELATION', linkKind: 'CAUSED_BY', target: { contextId: first.eventId } }] }
  const context = {
    specversion: SPEC_VERSION,
    id,
    source: SOURCE,
    type: VERDICT_CHANGED,
    timestamp: verdict.decidedAt,
    ...links,
  }
  return [
    {
      specversion: '1.0',
      id,
      source: SOURCE,
      type: VERDICT_CHANGED,
      subject: release.id,
      time: verdict.decidedAt,
      datacontenttype: 'application/json',
      data: {
        context,
        subject: {
          id: release.id,
          source: SOURCE,
          content: {
            environment: { id: release.environment === '' ? 'unknown' : release.environment },
            service: { id: release.service === '' ? release.target : release.service },
            artifactId: release.artifact.startsWith('pkg:')
              ? release.artifact
              : `pkg:generic/${encodeURIComponent(release.service)}@${encodeURIComponent(release.versionTo)}`,
            from: was ?? null,
            to: verdict.verdict,
            fault: verdict.fault,
          },
        },
        customData: {
          headline: verdict.headline,
          errorRate: verdict.errorRate,
          exposedRequests: verdict.exposedRequests,
          controlRequests: verdict.controlRequests,
          measures: verdict.measures
            .filter((one) => one.verdict === 'worse')
            .map(({ measure, difference, low, high, text }) => ({ measure, difference, low, high, text })),
          releaseKey: release.stages.map(({ source, eventId }) => ({ source, eventId })).slice(0, 20),
          orderId: release.orderId,
          ticket: release.ticket,
        },
        customDataContentType: 'application/json',
      },
    },
  ]
}
