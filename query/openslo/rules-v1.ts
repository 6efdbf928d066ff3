// What must fit together in openslo/v1 and no shape can say. Each rule tells the place and the remedy.
// Source: OpenSLO/OpenSLO README.md; OpenSLO/go-sdk v0.9.2, validation of package v1.

import { durationMs, parseDuration, sliceMs } from './duration.ts'
import {
  DISPLAY_NAME_MAX,
  type ObjectiveV1,
  type ObjectV1,
  type SliSpecV1,
  type SloSpecV1,
  type TimeWindowV1,
} from './schema-v1.ts'
import { metadataIn } from './references.ts'
import { checkCondition, checkPolicy, checkSli, exactlyOne } from './rules-parts.ts'
import type { Path, Tell } from './problem.ts'

/** @param isStrict  refuses what the specification forbids although its own examples do it; else that is a warning */
export function checkObject(object: ObjectV1, isStrict: boolean, tell: Tell): void {
  const mild = isStrict ? 'error' : 'warning'
  for (const { metadata, path } of metadataIn(object))
    if ((metadata.displayName ?? '').length > DISPLAY_NAME_MAX)
      tell(
        mild,
        'invalid',
        [...path, 'displayName'],
        `has more than ${DISPLAY_NAME_MAX} characters`,
        'say it shorter; more goes into description',
      )
  if (object.kind === 'SLI') checkSli(object.spec, ['spec'], tell)
  if (object.kind === 'SLO') checkSlo(object.spec, isStrict, tell)
  if (object.kind === 'AlertCondition') checkCondition(object.spec, ['spec'], tell)
  if (object.kind === 'AlertPolicy') checkPolicy(object.spec, ['spec'], tell)
}

function checkSlo(spec: SloSpecV1, isStrict: boolean, tell: Tell): void {
  const path: Path = ['spec']
  checkIndicators(spec, path, tell)
  const { timeWindow } = spec
  if (timeWindow === undefined || timeWindow.length !== 1) {
    const isMissing = timeWindow === undefined
    if (!isMissing || isStrict)
      tell(
        'error',
        isMissing ? 'required' : 'invalid',
        [...path, 'timeWindow'],
        'must hold exactly one window',
        'write one: a duration such as 30d, and isRolling: true',
      )
  }
  const [window] = timeWindow ?? []
  if (window !== undefined) checkWindow(window, [...path, 'timeWindow', 0], tell)
  const above = spec.indicator?.spec
  if (above !== undefined) checkSli(above, [...path, 'indicator', 'spec'], tell)
  spec.objectives.forEach((objective, index) => {
    const at = [...path, 'objectives', index]
    const own = objective.indicator?.spec
    if (own !== undefined) checkSli(own, [...at, 'indicator', 'spec'], tell)
    checkObjective(objective, own ?? above, spec, at, isStrict, tell)
  })
  checkMinuteForMonth(spec, tell)
  spec.alertPolicies?.forEach((policy, index) => {
    if ('spec' in policy) checkPolicy(policy.spec, [...path, 'alertPolicies', index, 'spec'], tell)
  })
}

function checkIndicators(spec: SloSpecV1, path: Path, tell: Tell): void {
  const has = ({ indicator, indicatorRef }: Pick<ObjectiveV1, 'indicator' | 'indicatorRef'>) =>
    Number(indicator !== undefined) + Number(indicatorRef !== undefined)
  const both = (at: Path) =>
    tell(
      'error',
      'one-of',
      at,
      'has indicator and indicatorRef',
      'keep exactly one of indicator, indicatorRef',
    )
  const above = has(spec)
  if (above > 1) both(path)
  const below = spec.objectives.filter((objective) => has(objective) > 0).length
  if (above > 0 && below > 0)
    tell(
      'error',
      'one-of',
      path,
      'has an indicator and its objectives have their own',
      'keep it above for one indicator, below for a composite',
    )
  if (above === 0 && below === 0)
    tell(
      'error',
      'required',
      path,
      'has no indicator',
      'give it indicator or indicatorRef, or one of them to each objective',
    )
  spec.objectives.forEach((objective, index) => {
    const at = [...path, 'objectives', index]
    if (has(objective) > 1) both(at)
    if (above === 0 && below > 0 && has(objective) === 0)
      tell(
        'error',
        'required',
        at,
        'has no indicator, and other objectives have one',
        'give it indicator or indicatorRef',
      )
    if (objective.compositeWeight !== undefined && above > 0)
      tell(
        'warning',
        'ignored-field',
        [...at, 'compositeWeight'],
        'means something in composites only',
        'give objectives indicators of their own, or leave it out',
      )
  })
}

function checkWindow({ duration, isRolling, calendar }: TimeWindowV1, path: Path, tell: Tell): void {
  if (isRolling === true && calendar !== undefined)
    tell('error', 'one-of', path, 'rolls and has a calendar', 'leave out calendar, or say isRolling: false')
  if (isRolling !== true && calendar === undefined)
    tell(
      'error',
      'required',
      path,
      'does not roll and has no calendar',
      'say isRolling: true, or give it a calendar',
    )
  if (isRolling === true && /[MQY]$/.test(duration))
    tell(
      'warning',
      'rolling-months',
      [...path, 'duration'],
      'rolls: a month has 30 days then, a quarter 90, a year 365',
      'write days, or give it a calendar',
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
  exactlyOne({ target, targetPercent }, path, tell)
  if (sli?.thresholdMetric !== undefined) {
    if (op === undefined)
      tell(
        'error',
        'required',
        [...path, 'op'],
        'is required with thresholdMetric',
        'take lt, lte, gt or gte',
      )
    if (value === undefined)
      tell(
        'error',
        'required',
        [...path, 'value'],
        'is required with thresholdMetric',
        'give the number that op compares with',
      )
  } else if (sli?.ratioMetric !== undefined) {
    // Three of the four official examples have op.
    for (const field of ['op', 'value'] as const)
      if (objective[field] !== undefined)
        tell(
          isStrict ? 'error' : 'warning',
          'forbidden',
          [...path, field],
          'is for thresholdMetric; a ratio is compared with its target',
          'leave it out',
        )
  }
  const { budgetingMethod: method } = spec
  if (method === 'Timeslices') {
    if (timeSliceTarget === undefined)
      tell(
        'error',
        'required',
        [...path, 'timeSliceTarget'],
        'is required with Timeslices',
        'give the ratio from which a slice is good, such as 0.95',
      )
    else if (!(timeSliceTarget > 0 && timeSliceTarget <= 1))
      tell(
        'error',
        'invalid',
        [...path, 'timeSliceTarget'],
        'must be above 0 and at most 1',
        'it is a ratio: 0.95 is 95 %',
      )
  } else if (timeSliceTarget !== undefined)
    tell(
      'warning',
      'ignored-field',
      [...path, 'timeSliceTarget'],
      `means nothing with ${method}`,
      'leave it out, or take Timeslices',
    )
  if (method === 'Occurrences') {
    if (timeSliceWindow !== undefined)
      tell(
        'warning',
        'ignored-field',
        [...path, 'timeSliceWindow'],
        `means nothing with ${method}`,
        'leave it out, or take Timeslices',
      )
  } else if (timeSliceWindow === undefined)
    tell(
      'error',
      'required',
      [...path, 'timeSliceWindow'],
      `is required with ${method}`,
      'give the length of a slice, such as 1m',
    )
}

const HOUR = 3_600_000

/** `1m` is a minute. A window that is no longer than its slice was meant as a month. */
function checkMinuteForMonth(spec: SloSpecV1, tell: Tell): void {
  const [window] = spec.timeWindow ?? []
  const length = parseDuration(window?.duration ?? '')
  if (length === undefined) return
  const least =
    spec.budgetingMethod === 'Occurrences'
      ? length.unit === 'm'
        ? HOUR
        : 0
      : Math.max(...spec.objectives.map(({ timeSliceWindow }) => sliceMs(timeSliceWindow) ?? 0))
  if (durationMs(length) > least) return
  const what = `${length.count} ${length.unit === 'm' ? (length.count === 1 ? 'minute' : 'minutes') : length.unit}`
  const remedy =
    length.unit === 'm'
      ? `did you mean M («${length.count}M», months)?`
      : 'make the window longer, or the slice shorter'
  tell(
    'warning',
    'minute-for-month',
    ['spec', 'timeWindow', 0, 'duration'],
    `is ${what}, no longer than a slice of it`,
    remedy,
  )
}
