// The verdict on one release: worse, not worse, or cannot tell yet and how much is missing. Pure and deterministic: the same traffic
// gives the same bytes. It may be asked as often as one likes: ERROR_RATE holds over all looks, measures and widenings.

import type { MeasureVerdict, ReleaseVerdict } from '../http/release-schemas.ts'
import { iso } from '../time-range.ts'
import type { Release } from '../releases/release.ts'
import { judgeLost, judgeResources, judgeSignatures, type ChangeJudgement } from './judge-others.ts'
import { latencyShift, type LatencyShift } from './judge-latency.ts'
import { judgeRatio, type RatioJudgement } from './judge-ratio.ts'
import { alphaOf, ERROR_RATE, RATIO_MEASURES, type RatioMeasure } from './measures.ts'
import { compare, type Comparison } from './strata.ts'
import type { ReleaseTraffic } from './traffic.ts'
import * as words from './words.ts'

/** Eight measures, of which latency is asked twice. */
const QUESTIONS = 9

/** @returns the verdict; `override` is a person's and stays null here */
export function releaseVerdict(traffic: ReleaseTraffic): ReleaseVerdict {
  const { release, nowMs, contrast } = traffic
  const name = releaseName(release)
  const comparison = compare(traffic)
  if (comparison === undefined)
    return {
      release: release.id,
      decidedAt: iso(nowMs),
      verdict: 'cannot-tell',
      fault: null,
      headline: release.readyAtMs === undefined ? words.notServed(name) : words.tooEarly(name),
      errorRate: ERROR_RATE,
      exposedRequests: 0,
      controlRequests: 0,
      requestsMissing: null,
      minutesMissing: null,
      measures: [],
      override: null,
    }
  const alpha = alphaOf(QUESTIONS, comparison.stage)
  const shift = comparison.method === 'concurrent' ? latencyShift(contrast.latency, alpha) : undefined
  const ratios = RATIO_MEASURES.map((measure) => {
    const judged = judgeRatio(comparison, measure, contrast.toMinute, alpha)
    const isMoved = measure.measure === 'latency' && shift?.isMoved === true
    return { measure, judged: isMoved ? { ...judged, verdict: 'worse' as const, reasons: [] } : judged }
  })
  const signatures = judgeSignatures(traffic, comparison, alpha)
  const lost = judgeLost(traffic, comparison, alpha)
  const resources = judgeResources(traffic, alpha)
  const measures: MeasureVerdict[] = [
    ...ratios.map(({ measure, judged }) => ({
      measure: measure.measure,
      verdict: judged.verdict,
      contrast: judged.contrast,
      difference: judged.difference,
      low: judged.low,
      high: judged.high,
      reasons: [...judged.reasons],
      text: ratioText(measure, judged, comparison, shift),
    })),
    {
      measure: 'new_error_signatures',
      verdict: signatures.verdict,
      contrast: null,
      difference: null,
      low: null,
      high: null,
      reasons: [...signatures.reasons],
      text: words.signaturesText(signatures),
    },
    changeMeasure('requests_lost', lost, words.lostText(lost)),
    changeMeasure('resource_per_request', resources, words.resourcesText(resources)),
  ]
  const worse = measures.filter((one) => one.verdict === 'worse')
  // Without the others one can do; what is a share of requests must be known before anybody says «not worse».
  const open = ratios.filter(({ judged }) => judged.verdict === 'cannot-tell')
  const verdict = worse.length > 0 ? 'worse' : open.length > 0 ? 'cannot-tell' : 'not-worse'
  const fault = verdict === 'worse' ? faultOf(worse.map((one) => one.measure)) : null
  const missing = open.map(({ judged }) => judged.requestsMissing ?? 0)
  const requestsMissing = verdict === 'cannot-tell' ? Math.max(...missing) : null
  const minutesMissing =
    requestsMissing === null || comparison.exposedPerMinute <= 0
      ? null
      : Math.max(1, Math.ceil(requestsMissing / comparison.exposedPerMinute))
  return {
    release: release.id,
    decidedAt: iso(nowMs),
    verdict,
    fault,
    headline: words.headline({
      verdict,
      fault,
      name,
      measures: (verdict === 'worse' ? worse : open.map(({ measure }) => measure)).map((one) =>
        measureName(one.measure),
      ),
      requestsMissing,
      minutesMissing,
      control: comparison.control,
      isSelfSelected: comparison.isSelfSelected,
    }),
    errorRate: ERROR_RATE,
    exposedRequests: comparison.exposedRequests,
    controlRequests: comparison.controlRequests,
    requestsMissing,
    minutesMissing,
    measures,
    override: null,
  }
}

function ratioText(
  measure: RatioMeasure,
  judged: RatioJudgement,
  comparison: Comparison,
  shift: LatencyShift | undefined,
) {
  const text = words.ratioText(measure, judged, comparison)
  return measure.measure === 'latency' && shift !== undefined ? words.withShift(text, shift) : text
}

/** What people call it: service (or what else it changes) and version. */
export function releaseName({ service, target, versionTo }: Release): string {
  const what = service === '' ? target : service
  return [what, versionTo].filter((text) => text !== '').join(' ')
}

const BUSINESS: ReadonlySet<string> = new Set(['business_error', 'business_reject'])

/** Technical as soon as any of it is: then a machine may act. */
const faultOf = (measures: readonly string[]) =>
  measures.every((measure) => BUSINESS.has(measure)) ? 'business' : 'technical'

function changeMeasure(
  measure: MeasureVerdict['measure'],
  judged: ChangeJudgement | undefined,
  text: MeasureVerdict['text'],
): MeasureVerdict {
  return {
    measure,
    verdict: judged?.verdict ?? 'cannot-tell',
    contrast: null,
    difference: judged?.change ?? null,
    low: judged?.low ?? null,
    high: judged?.high ?? null,
    reasons: [],
    text,
  }
}

function measureName(measure: MeasureVerdict['measure']): MeasureVerdict['text'] {
  const ratio = RATIO_MEASURES.find((one) => one.measure === measure)
  if (ratio !== undefined) return { en: ratio.en, zh: ratio.zh }
  if (measure === 'new_error_signatures') return { en: 'New errors', zh: '新错误特征' }
  if (measure === 'requests_lost') return { en: 'Requests lost', zh: '请求丢失' }
  return { en: 'Resources per request', zh: '单笔资源消耗' }
}
