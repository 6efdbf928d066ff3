// From the verdict on a release to what a delivery tool should do. Pure: nothing is done here.

import type { GateReply } from '../http/gate-schemas.ts'
import type { ReleaseVerdict } from '../http/release-schemas.ts'

/**
 * A machine may go on with what is not worse, and take back what is worse for a technical reason. Everything else is a person's
 * choice: a business fault, and what cannot be told yet.
 *
 * @param kept  undefined: no release of that name was judged
 */
export function gateDecision(kept: ReleaseVerdict | undefined, name: string): GateReply {
  if (kept === undefined)
    return {
      decision: 'wait',
      verdict: null,
      fault: null,
      release: null,
      headline: {
        en: `${name} was not judged yet: neither an event nor a request of that version is known`,
        zh: `尚未判断 ${name}：没有该版本的投产事件，也没有见到其请求`,
      },
      requestsMissing: null,
      minutesMissing: null,
      decidedAt: null,
      decidedBy: null,
    }
  const { override } = kept
  const verdict = override?.verdict ?? kept.verdict
  return {
    decision: decisionOf(verdict, override === null ? kept.fault : 'technical'),
    verdict,
    fault: kept.fault,
    release: kept.release,
    headline: kept.headline,
    requestsMissing: kept.requestsMissing,
    minutesMissing: kept.minutesMissing,
    decidedAt: override?.at ?? kept.decidedAt,
    decidedBy: override?.by ?? null,
  }
}

/** A person who says «worse» has chosen, whatever kind of fault it is. */
function decisionOf(
  verdict: ReleaseVerdict['verdict'],
  fault: ReleaseVerdict['fault'],
): GateReply['decision'] {
  switch (verdict) {
    case 'not-worse':
      return 'go'
    case 'worse':
      return fault === 'technical' ? 'abort' : 'wait'
    case 'cannot-tell':
      return 'wait'
    default:
      return verdict satisfies never
  }
}
