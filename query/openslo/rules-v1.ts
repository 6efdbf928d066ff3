// What must fit together in openslo/v1 and no shape can say. Each rule tells the place and the remedy.
// Source: OpenSLO/OpenSLO README.md; OpenSLO/go-sdk v0.9.2, validation of package v1.

import { durationSeconds, parseDuration } from './duration.ts'
import type { ObjectiveV1, SliSpecV1, SloSpecV1, TimeWindowV1 } from './schema-v1.ts'
import type { Path } from './problem.ts'

/** `strict` false makes a warning of what official examples do although the specification forbids it. */
export type Tell = (severity: 'error' | 'warning', code: string, path: Path, message: string) => void

export function checkSli(spec: SliSpecV1, path: Path, tell: Tell): void {
  const { thresholdMetric, ratioMetric } = spec
  if ((thresholdMetric === undefined) === (ratioMetric === undefined)) {
    const what = ratioMetric === undefined ? 'neither is there' : 'both are there'
    tell('error', 'one-of', path, `needs either thresholdMetric or ratioMetric; ${what}`)
    return
  }
  if (ratioMetric === undefined) return
  const at = [...path, 'ratioMetric']
  const { good, bad, total, raw, rawType } = ratioMetric
  if (raw !== undefined) {
    if (good !== undefined || bad !== undefined || total !== undefined)
      tell('error', 'one-of', at, 'raw is a ratio already: leave out good, bad and total')
    if (rawType === undefined) tell('error', 'required', at, 'raw needs rawType: success or failure')
    return
  }
  if (rawType !== undefined) tell('error', 'one-of', [...at, 'rawType'], 'only stands beside raw')
  if (total === undefined) tell('error', 'required', at, 'needs total beside good or bad, or raw')
  if ((good === undefined) === (bad === undefined))
    tell(
      'error',
      'one-of',
      at,
      `needs either good or bad; ${good === undefined ? 'neither is there' : 'both are there'}`,
    )
}

export function checkSlo(spec: SloSpecV1, isStrict: boolean, tell: Tell): void {
  const path: Path = ['spec']
  checkIndicators(spec, path, tell)
  const [window] = spec.timeWindow
  if (window !== undefined) checkWindow(window, [...path, 'timeWindow', 0], tell)
  const above = spec.indicator?.spec
  if (above !== undefined) checkSli(above, [...path, 'indicator', 'spec'], tell)
  spec.objectives.forEach((objective, index) => {
    const at = [...path, 'objectives', index]
    const own = objective.indicator?.spec
    if (own !== undefined) checkSli(own, [...at, 'indicator', 'spec'], tell)
    checkObjective(objective, own ?? above, spec, at, isStrict, tell)
  })
}

function checkIndicators(spec: SloSpecV1, path: Path, tell: Tell): void {
  const has = ({ indicator, indicatorRef }: Pick<ObjectiveV1, 'indicator' | 'indicatorRef'>) =>
    Number(indicator !== undefined) + Number(indicatorRef !== undefined)
  const above = has(spec)
  if (above > 1) tell('error', 'one-of', path, 'needs either indicator or indicatorRef, not both')
  const below = spec.objectives.filter((objective) => has(objective) > 0).length
  if (above > 0 && below > 0)
    tell('error', 'one-of', path, 'has an indicator and its objectives have their own; keep one of them')
  if (above === 0 && below === 0)
    tell('error', 'required', path, 'needs indicator or indicatorRef, or one in each objective')
  spec.objectives.forEach((objective, index) => {
    const at = [...path, 'objectives', index]
    if (has(objective) > 1) tell('error', 'one-of', at, 'needs either indicator or indicatorRef, not both')
    if (above === 0 && below > 0 && has(objective) === 0)
      tell('error', 'required', at, 'needs an indicator, as the other objectives have')
  })
}

function checkWindow({ duration, isRolling, calendar }: TimeWindowV1, path: Path, tell: Tell): void {
  if (isRolling === true && calendar !== undefined)
    tell('error', 'one-of', path, 'rolls and has a calendar; leave out one of them')
  if (isRolling !== true && calendar === undefined)
    tell('error', 'required', path, 'does not roll and so needs a calendar, or isRolling: true')
  if (isRolling === true && /[MQY]$/.test(duration))
    tell(
      'warning',
      'rolling-months',
      [...path, 'duration'],
      'months that roll have 30 days, quarters 90, years 365',
    )
}

function checkObjective(
  objective: ObjectiveV1,
  sli: SliSpecV1 | undefined,
  spec: SloSpecV1,
  path: Path,
  isStrict: boolean,
  tell: Tell,
): void {
  const { target, targetPercent, op, value, timeSliceTarget, timeSliceWindow } = objective
  if ((target === undefined) === (targetPercent === undefined)) {
    const what = target === undefined ? 'neither is there' : 'both are there'
    tell('error', 'one-of', path, `needs either target or targetPercent; ${what}`)
  }
  if (sli?.thresholdMetric !== undefined) {
    if (op === undefined) tell('error', 'required', path, 'a threshold needs op: lt, lte, gt or gte')
    if (value === undefined) tell('error', 'required', path, 'a threshold needs value')
  } else if (sli?.ratioMetric !== undefined) {
    // Three of the four official examples have it.
    if (op !== undefined)
      tell(
        isStrict ? 'error' : 'warning',
        'forbidden',
        [...path, 'op'],
        'is for thresholds; a ratio is compared with its target. It is left out',
      )
    if (value !== undefined) tell('error', 'forbidden', [...path, 'value'], 'is for thresholds; leave it out')
  }
  const { budgetingMethod } = spec
  if (budgetingMethod === 'Timeslices' && timeSliceTarget === undefined)
    tell('error', 'required', path, 'Timeslices need timeSliceTarget')
  if (budgetingMethod !== 'Timeslices' && timeSliceTarget !== undefined)
    tell('error', 'forbidden', [...path, 'timeSliceTarget'], 'is for Timeslices')
  if (budgetingMethod !== 'Occurrences' && timeSliceWindow === undefined)
    tell('error', 'required', path, `${budgetingMethod} need timeSliceWindow`)
  if (budgetingMethod === 'Occurrences' && timeSliceWindow !== undefined)
    tell('error', 'forbidden', [...path, 'timeSliceWindow'], 'is for Timeslices and RatioTimeslices')
  checkMinuteForMonth(spec, timeSliceWindow, path, tell)
}

/** `1m` is a minute. A window that is no longer than its slice was meant as a month. */
function checkMinuteForMonth(
  { timeWindow: [window] }: SloSpecV1,
  slice: string | number | undefined,
  path: Path,
  tell: Tell,
): void {
  const length = parseDuration(window?.duration ?? '')
  if (length?.unit !== 'm') return
  const sliceLength = typeof slice === 'string' ? parseDuration(slice) : undefined
  const sliceSeconds =
    typeof slice === 'number' ? slice * 60 : sliceLength === undefined ? 3600 : durationSeconds(sliceLength)
  if (durationSeconds(length) > sliceSeconds) return
  const inSpec = [...path.slice(0, 1), 'timeWindow', 0, 'duration']
  const { count } = length
  tell(
    'warning',
    'minute-for-month',
    inSpec,
    `is ${count} ${count === 1 ? 'minute' : 'minutes'}; did you mean «${count}M», months?`,
  )
}
