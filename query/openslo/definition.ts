// From an SLO as it is written to the definition that is executed: references resolved, defaults filled in, and told what keeps it
// from being measured or judged.

import type { Budgeting, Indicator, SloDefinition, SloObjective, SloWindow } from '../slo/model.ts'
import { SEVERITIES } from '../slo/model.ts'
import { alertRulesOf, checkBurnRates } from './alert-rules.ts'
import { readAnnotations, type SloAnnotations } from './annotations.ts'
import { durationMs, parseDuration, sliceMs, type DurationUnit } from './duration.ts'
import { indicatorOf } from './indicator.ts'
import type { Path, Tell } from './problem.ts'
import type { Resolver } from './references.ts'
import type { ObjectiveV1, SliSpecV1, SloV1 } from './schema-v1.ts'
import { targetRatio } from './target.ts'

export type DefinitionContext = {
  readonly resolve: Resolver
  /** Whether a burn profile has this name; by default any may. */
  readonly isProfile?: (name: string) => boolean
}

const DAY = 86_400_000
/** Slices are kept as long. */
const WINDOW_DAYS_MAX = 400
const OUTAGE_RATIO = 0.5
const OUTAGE_TOTAL_MIN = 20
const COVERAGE_FLOOR = 0.9

/** @returns undefined when the SLO cannot be executed; why is told, as a warning where it is good OpenSLO that others measure */
export function definitionOf(slo: SloV1, context: DefinitionContext, tell: Tell): SloDefinition | undefined {
  let isGood = true
  const say: Tell = (severity, ...rest) => {
    isGood &&= severity !== 'error'
    tell(severity, ...rest)
  }
  const { metadata, spec } = slo
  const said = readAnnotations(metadata.annotations, say)
  const profile = said['burn-profile']
  if (profile !== undefined && context.isProfile?.(profile) === false)
    say(
      'error',
      'annotation',
      ['metadata', 'annotations', 'surety/burn-profile'],
      `«${profile}» is no burn profile that is known`,
      'look at its name',
    )
  const isComposite = spec.objectives.some(
    (one) => one.indicator !== undefined || one.indicatorRef !== undefined,
  )
  const measured = spec.objectives.map((objective, index) => {
    const at = ['spec', 'objectives', index]
    const place = isComposite ? { of: objective, path: at } : { of: spec, path: ['spec'] }
    return indicatorAt(place.of, place.path, objective, at, context.resolve, say)
  })
  if (isComposite) checkParts(slo, measured, context.resolve, say)
  // A window that cannot be kept matters only where something is measured.
  const isMeasured = measured.every((one) => one !== undefined)
  const window = windowOf(spec.timeWindow?.[0], isMeasured ? 'error' : 'warning', say)
  const alertRules = alertRulesOf(spec, context.resolve)
  const targets = spec.objectives.map((objective) => targetRatio(objective) ?? 0)
  checkBurnRates(alertRules, targets, say)
  const budgetings = spec.objectives.map((objective, index) =>
    budgetingOf(spec.budgetingMethod, objective, said, index, window, say),
  )
  if (!isGood || window === undefined || !isMeasured) return undefined

  const indicators: Indicator[] = []
  const placeOf = (indicator: Indicator) => {
    const known = indicators.findIndex((one) => JSON.stringify(one) === JSON.stringify(indicator))
    return known >= 0 ? known : indicators.push(indicator) - 1
  }
  const objectives = spec.objectives.map((objective, index): SloObjective => ({
    displayName: objective.displayName ?? '',
    targetRatio: targets[index] ?? 0,
    budgeting: budgetings[index] ?? { method: 'Occurrences' },
    indicator: placeOf(measured[index] as Indicator),
    weight: isComposite ? (objective.compositeWeight ?? 1) : 1,
  }))
  return {
    name: metadata.name,
    displayName: metadata.displayName ?? metadata.name,
    description: spec.description ?? '',
    service: spec.service,
    labels: Object.fromEntries(
      Object.entries(metadata.labels ?? {}).map(([key, value]) => [
        key,
        typeof value === 'string' ? [value] : value,
      ]),
    ),
    tier: said.tier,
    stepMs: said.step === undefined ? undefined : said.step === '10s' ? 10_000 : 60_000,
    window,
    indicators,
    objectives,
    composite: isComposite ? { targetRatio: said['composite-target'] ?? Math.min(...targets) } : undefined,
    burnProfile: profile,
    severities: said['alert-severities'] ?? SEVERITIES,
    minTotal: said['min-total'],
    minBad: said['min-bad'],
    outage: outageOf(said),
    missingData: said['missing-data'] ?? 'freeze',
    coverageFloor: said['coverage-floor'] ?? COVERAGE_FLOOR,
    alertRules,
  }
}

function outageOf({
  'outage-ratio': ratio,
  'outage-min-total': least,
}: SloAnnotations): SloDefinition['outage'] {
  if (ratio === 'off') return 'off'
  if (ratio === undefined && least === undefined) return undefined
  return { failingRatio: ratio ?? OUTAGE_RATIO, totalMin: least ?? OUTAGE_TOTAL_MIN }
}

/** The indicator of an objective: above it or its own, inline or by name. */
function indicatorAt(
  { indicator, indicatorRef }: Pick<ObjectiveV1, 'indicator' | 'indicatorRef'>,
  path: Path,
  objective: ObjectiveV1,
  at: Path,
  resolve: Resolver,
  tell: Tell,
): Indicator | undefined {
  const typeOf = (name: string) => resolve('DataSource', name)?.spec.type
  if (indicator !== undefined)
    return indicatorOf(
      indicator.spec,
      comparedOf(objective, indicator.spec, at, undefined),
      typeOf,
      [...path, 'indicator', 'spec'],
      tell,
    )
  const sli = indicatorRef === undefined ? undefined : resolve('SLI', indicatorRef)
  if (sli === undefined) return undefined
  const compared = comparedOf(objective, sli.spec, at, tell)
  // What is wrong in the SLI is told there; what is wrong with the comparison stands here.
  const ofComparison: Tell = (severity, code, where, ...rest) => {
    if (where[0] === 'spec' && where[1] === 'objectives') tell(severity, code, where, ...rest)
  }
  const found = indicatorOf(sli.spec, compared, typeOf, ['sli'], ofComparison)
  const isCompared = sli.spec.thresholdMetric === undefined || compared !== undefined
  if (found === undefined && isCompared)
    tell(
      'warning',
      'not-measured',
      [...path, 'indicatorRef'],
      `the SLI «${sli.metadata.name}» is not measured`,
      'look at what is told of the SLI',
    )
  return found
}

/** @param tell  given where only now is known that the metric is a threshold */
function comparedOf({ op, value }: ObjectiveV1, sli: SliSpecV1, path: Path, tell: Tell | undefined) {
  if (sli.thresholdMetric === undefined) {
    for (const [field, given] of Object.entries({ op, value }))
      if (given !== undefined)
        tell?.(
          'warning',
          'forbidden',
          [...path, field],
          'is for thresholdMetric; the SLI is a ratio',
          'leave it out',
        )
    return undefined
  }
  if (op !== undefined && value !== undefined) return { op, value, path }
  for (const [field, given] of Object.entries({ op, value }))
    if (given === undefined)
      tell?.(
        'error',
        'required',
        [...path, field],
        'is required: the SLI is a threshold',
        field === 'op' ? 'take lt, lte, gt or gte' : 'give the number that op compares with',
      )
  return undefined
}

const CALENDAR_UNITS: Readonly<Partial<Record<DurationUnit, 'day' | 'week' | 'month' | 'quarter' | 'year'>>> =
  {
    d: 'day',
    w: 'week',
    M: 'month',
    Q: 'quarter',
    Y: 'year',
  }

function windowOf(
  written: NonNullable<SloV1['spec']['timeWindow']>[number] | undefined,
  severity: 'error' | 'warning',
  tell: Tell,
): SloWindow | undefined {
  const duration = parseDuration(written?.duration ?? '')
  if (written === undefined || duration === undefined) return undefined
  const path = ['spec', 'timeWindow', 0, 'duration']
  if (durationMs(duration) > WINDOW_DAYS_MAX * DAY) {
    tell(
      severity,
      'window',
      path,
      `is longer than ${WINDOW_DAYS_MAX} days, which slices are kept for`,
      'take a year at most',
    )
    return undefined
  }
  const { calendar } = written
  if (calendar === undefined) return { kind: 'rolling', durationMs: durationMs(duration) }
  const unit = CALENDAR_UNITS[duration.unit]
  if (unit === undefined) {
    const remedy =
      duration.unit === 'm'
        ? `did you mean M («${duration.count}M», months)?`
        : 'take d, w, M, Q or Y, or let it roll'
    tell(severity, 'window', path, 'a calendar has days, weeks, months, quarters and years', remedy)
    return undefined
  }
  return {
    kind: 'calendar',
    unit,
    count: duration.count,
    timeZone: calendar.timeZone,
    start: calendar.startTime,
  }
}

function budgetingOf(
  method: SloV1['spec']['budgetingMethod'],
  { timeSliceWindow, timeSliceTarget }: ObjectiveV1,
  said: SloAnnotations,
  index: number,
  window: SloWindow | undefined,
  tell: Tell,
): Budgeting | undefined {
  if (method === 'Occurrences') return { method }
  const timeSliceMs = sliceMs(timeSliceWindow) ?? 60_000
  if (window?.kind === 'rolling' && window.durationMs % timeSliceMs !== 0)
    tell(
      'error',
      'slice',
      ['spec', 'objectives', index, 'timeSliceWindow'],
      'does not divide the window',
      'take a slice that the window is a multiple of',
    )
  if (method === 'RatioTimeslices') return { method, timeSliceMs }
  return {
    method,
    timeSliceMs,
    timeSliceTarget: timeSliceTarget ?? 1,
    emptySlices: said['empty-slices'] ?? 'good',
  }
}

/** A composite adds up what is alike: one budgeting method, and no groups. */
function checkParts(
  slo: SloV1,
  parts: readonly (Indicator | undefined)[],
  resolve: Resolver,
  tell: Tell,
): void {
  parts.forEach((part, index) => {
    const path = ['spec', 'objectives', index]
    if (part?.kind === 'requests' && part.groupBy.length > 0)
      tell(
        'error',
        'groups',
        path,
        'groups its requests, and a composite adds up one of each',
        'make an SLO of its own with the groups',
      )
    if (part?.kind !== 'slo') return
    const other = resolve('SLO', part.slo)
    const method = other?.spec.budgetingMethod
    if (method !== undefined && method !== slo.spec.budgetingMethod)
      tell(
        'error',
        'mixed-methods',
        path,
        `«${part.slo}» budgets by ${method}, this composite by ${slo.spec.budgetingMethod}`,
        'take one budgeting method for all parts',
      )
  })
}
