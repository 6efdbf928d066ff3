// One candidate judged: its terms put together, set against what else describes the same rows.

import type { Evidence, Told } from '../http/fault-schemas.ts'
import { UNTOUCHED, type Candidate } from './case.ts'
import type { CaseColumns } from './case-columns.ts'
import { countZ } from '../statistics/counts.ts'
import { isBroad, type Competition } from './competing.ts'
import type { ContrastFrame, ExposureContrast } from './contrast.ts'
import {
  doseEvidence,
  NOVEL_WITHOUT_CONTROL,
  noveltyEvidence,
  originEvidence,
  scopeEvidence,
  stepEvidence,
  term,
  timeEvidence,
  VETO,
} from './evidence.ts'
import type { Onset } from './onset.ts'
import { order, type PlaceCause } from './place-causes.ts'
import * as words from './words.ts'

export type Judged = {
  readonly index: number
  readonly candidate: Candidate
  readonly contrast: ExposureContrast
  readonly evidence: readonly Evidence[]
  readonly llr: number
  readonly isVetoed: boolean
  readonly isExonerated: boolean
  readonly isProved: boolean
  readonly reason: Told
}

/** The best description of the failing rows: whose, and how good. */
export type Leader = { readonly gain: number; readonly name: Told; readonly members: readonly number[] }

export function judge(
  index: number,
  parts: {
    readonly columns: CaseColumns
    readonly frame: ContrastFrame
    readonly onset: Onset
    readonly contrasts: readonly ExposureContrast[]
    readonly competition: Competition
    readonly leader: Leader
    readonly joint: ExposureContrast | undefined
  },
): Judged | undefined {
  const { columns, frame, onset, contrasts, competition, leader, joint } = parts
  const faultCase = columns.case
  const candidate = faultCase.candidates[index]
  const contrast = contrasts[index]
  if (candidate === undefined || contrast === undefined) return undefined
  const time = timeEvidence(candidate, faultCase, onset)
  if (time.llr === VETO)
    return {
      index,
      candidate,
      contrast,
      evidence: [time],
      llr: VETO,
      isVetoed: true,
      isExonerated: true,
      isProved: false,
      reason: time.text,
    }
  const compared = exposureEvidence(index, candidate, contrast, frame, leader, joint, competition)
  const hasContrast = contrast.method !== 'none'
  const dose = doseEvidence(candidate, contrast, columns, onset)
  // What went away by itself, or stayed when it was taken back, is told by the sums of the minutes before only.
  const isOver = dose !== undefined && dose.llr <= -5
  const exposure = isOver ? { ...compared, llr: Math.min(1, compared.llr) } : compared
  const novelty = noveltyEvidence(candidate, faultCase, onset)
  const origin = originEvidence(candidate, faultCase, contrast, competition.shares)
  const evidence = [
    time,
    exposure,
    dose,
    scopeEvidence(candidate, frame),
    origin,
    novelty,
    hasContrast ? undefined : stepEvidence(index, frame),
  ].filter((item) => item !== undefined)
  const llr = evidence.reduce((sum, item) => sum + item.llr, 0)
  const isRecovered = dose !== undefined && dose.llr >= 4
  const shown = joint ?? contrast
  // Pods that start fail for a minute: what lasts no longer proves nothing, and errors that every release brings must last longer still.
  const lasting = minutesOfExcess(shown)
  const hasLasted = lasting >= (novelty !== undefined && novelty.llr <= -4 ? 4 : 2)
  const isProved =
    isRecovered ||
    (hasLasted &&
      !isOver &&
      ((shown.z >= 4 && shown.isCrossed && exposure.llr >= 3) ||
        (novelty !== undefined && novelty.llr >= 3 && exposure.llr > 0) ||
        isNewHere(exposure, novelty, origin, lasting)))
  const isExonerated = exposure.llr <= -3 || evidence.some((item) => item.llr <= -5)
  const worst = evidence.toSorted((a, b) => a.llr - b.llr || order(a.term, b.term))[0] ?? time
  const best = [...evidence]
    .filter((item) => item.llr > 0)
    .sort((a, b) => rank(b) - rank(a) || order(a.term, b.term))[0]
  return {
    index,
    candidate,
    contrast: shown,
    evidence,
    llr,
    isVetoed: false,
    isExonerated,
    isProved,
    reason: isExonerated ? worst.text : (best?.text ?? exposure.text),
  }
}

/** Where a version has all requests: an error of its code that nobody has seen before, begins there and stays. */
function isNewHere(
  exposure: Evidence,
  novelty: Evidence | undefined,
  origin: Evidence | undefined,
  lastingMinutes: number,
): boolean {
  return (
    (novelty?.llr ?? 0) >= NOVEL_WITHOUT_CONTROL &&
    (origin?.llr ?? 0) >= 2 &&
    exposure.llr > -1 &&
    lastingMinutes >= 5
  )
}

/** Minutes in which exposed requests were clearly worse than usual; all of them when none is by itself. */
function minutesOfExcess({ byMinute }: ExposureContrast): number {
  let [clear, some] = [0, 0]
  for (let minute = 0; minute < byMinute.exposed.length; minute++) {
    const [bad, usual] = [byMinute.exposedBad[minute] ?? 0, byMinute.exposedUsual[minute] ?? 0]
    if (countZ(bad, usual) >= 1.5) clear++
    else if (bad > usual) some++
  }
  return clear + some / 2
}

/** Of what speaks for it, a comparison persuades more than time. */
const rank = (item: Evidence): number =>
  item.llr + (item.term === 'E2' || item.term === 'E3' ? 10 : item.term === 'E1' ? -5 : 0)

function exposureEvidence(
  index: number,
  candidate: Candidate,
  contrast: ExposureContrast,
  frame: ContrastFrame,
  leader: Leader,
  joint: ExposureContrast | undefined,
  competition: Competition,
): Evidence {
  const isSlow = frame.columns.case.fault.measure === 'latency'
  const shown = joint ?? contrast
  const figures = {
    z: shown.z,
    zIfGuilty: contrast.zIfGuilty,
    logOdds: shown.effect?.estimate ?? 0,
    explained: shown.explained,
    exposedRequests: shown.exposed.requests,
    exposedBad: shown.exposed.bad,
    controlRequests: shown.control.requests,
    controlBad: shown.control.bad,
    gain: shown.race.gain,
    phi: frame.phi,
  }
  const allBad = contrast.exposed.bad + contrast.others.bad
  if (contrast.exposed.requests <= 0) {
    const isSure = candidate.isVisible && frame.excess >= 5
    return term(
      'E2',
      isSure ? -7 : meets(frame, candidate, index) ? 0 : -3,
      figures,
      words.contrastRemarks.notTouched(allBad),
    )
  }
  const behind = leader.members.includes(index) ? 0 : leader.gain - shown.race.gain
  if (contrast.method === 'none') {
    // All its traffic is on the new version: then nothing about versions of others should tell failing from healthy.
    const llr = behind > 3 ? -Math.min(7, behind) : 0
    return behind > 3
      ? term('E2', llr, figures, words.contrastRemarks.betterExplained(leader.name.en))
      : term('E2', 0, figures, words.contrastRemarks.noControl())
  }
  const text = words.contrastWords(candidate, shown, isSlow)
  if (shown.z < 1) {
    if (contrast.zIfGuilty > 4)
      return term(
        'E2',
        -Math.min(7, 3.5 + Math.max(0, contrast.zIfGuilty - 6) / 4),
        figures,
        words.contrastRemarks.exonerated(text.en, text.zh, shown.z, contrast.zIfGuilty),
      )
    return term('E2', behind > 3 ? -Math.min(6, behind / 2) : 0, figures, words.contrastRemarks.weak(shown.z))
  }
  let llr = Math.max(-3.5, Math.min(8, shown.z ** 2 / 2 - 3.5))
  let remark: Told | undefined
  const othersZ = countZ(shown.others.bad, shown.others.usual, frame.phi)
  const othersShare = frame.excess > 0 ? Math.max(0, shown.others.bad - shown.others.usual) / frame.excess : 0
  if (othersZ >= 3.5 && othersShare > 0.2) {
    llr -= 12 * (othersShare - 0.1)
    remark = words.contrastRemarks.othersToo(othersShare)
  }
  if (behind > 2 && 8 - behind < llr) {
    llr = 8 - behind
    remark = words.told(
      words.contrastRemarks.betterExplained(leader.name.en).en,
      words.contrastRemarks.betterExplained(leader.name.zh).zh,
    )
  }
  const place = explainingPlace(candidate, contrast, frame, competition)
  if (place !== undefined) {
    llr = Math.min(llr, 0) - 3
    const name = words.causeName(place.kind, place.name)
    remark = words.told(
      words.contrastRemarks.betterExplained(name.en).en,
      words.contrastRemarks.betterExplained(name.zh).zh,
    )
  }
  return term(
    'E2',
    llr,
    figures,
    remark === undefined ? text : words.told(`${text.en} ${remark.en}`, `${text.zh}${remark.zh}`),
  )
}

const meets = (frame: ContrastFrame, candidate: Candidate, index: number): boolean =>
  candidate.release.service === '' ||
  frame.columns.case.touches.some((touch) => (touch[index] ?? UNTOUCHED) !== UNTOUCHED)

/**
 * A place that explains its contrast: many services fail there, or one version fails more there than elsewhere, and the exposed requests ran
 * there more than the others did.
 */
function explainingPlace(
  candidate: Candidate,
  contrast: ExposureContrast,
  frame: ContrastFrame,
  competition: Competition,
): PlaceCause | undefined {
  const { service, versionTo } = candidate.release
  for (const { place, llr } of competition.causes) {
    if (place === undefined || llr < 3 || place.share < 0.5) continue
    const broad = isBroad(place, service)
    if (!broad && place.gainWithinVersion < 5) continue
    const own = competition.own.gainOfVersion(service, versionTo)
    if (!broad && own > place.gain + 4) continue
    if (contrast.method === 'difference-in-differences' && broad) return place
    // A concurrent control within the cell is only deceived when the new version runs there more often.
    let [newIn, newAll, oldIn, oldAll] = [0, 0, 0, 0]
    for (const row of frame.columns.case.places) {
      if (row.service !== service || row.minute < frame.from || row.minute >= frame.to) continue
      const inside = row[place.kind] === place.name ? row.requests : 0
      if (row.version === versionTo) [newIn, newAll] = [newIn + inside, newAll + row.requests]
      else [oldIn, oldAll] = [oldIn + inside, oldAll + row.requests]
    }
    if (newAll > 0 && oldAll > 0 && newIn / newAll > 1.4 * (oldIn / oldAll) && own < place.gain + 4)
      return place
  }
  return undefined
}
