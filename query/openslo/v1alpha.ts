// openslo/v1alpha, taken over as v1: services and SLOs. What v1 would read as a composite (objectives with ratios of their own)
// becomes one SLO for each, as Sloth reads it. Source: OpenSLO/go-sdk v0.9.2, package v1alpha.

import { z } from 'zod'
import type { Source } from './documents.ts'
import { rule, toldOf } from './issues.ts'
import { shown, type Path, type Tell } from './problem.ts'
import { withoutNulls } from './without-nulls.ts'
import type { Found } from './references.ts'
import {
  calendar,
  description,
  name,
  operator,
  target,
  text,
  VERSION_V1,
  type ObjectiveV1,
  type SliSpecV1,
  type SloV1,
} from './schema-v1.ts'

export const VERSION_V1ALPHA = 'openslo/v1alpha'

const metadata = z.strictObject({ name, displayName: z.string().optional() })
const alpha = z
  .string()
  .refine((word) => /^[A-Za-z]+$/.test(word), rule('must be letters', 'write it like prometheus'))
const metric = z.strictObject({ source: alpha, queryType: alpha, query: text })
const Window = z.strictObject({
  unit: z.enum(['Second', 'Day', 'Week', 'Month', 'Quarter']),
  count: z.number().int().positive(),
  isRolling: z.boolean().optional(),
  calendar: calendar.optional(),
})
const Objective = z.strictObject({
  displayName: z.string().max(1050).optional(),
  value: z.number().optional(),
  ratioMetrics: z
    .strictObject({ good: metric, total: metric, incremental: z.boolean().optional() })
    .optional(),
  target,
  timeSliceTarget: z.number().min(0).max(1).optional(),
  op: operator.optional(),
})
const Slo = z.strictObject({
  apiVersion: z.literal(VERSION_V1ALPHA),
  kind: z.literal('SLO'),
  metadata,
  spec: z.strictObject({
    timeWindows: z.array(Window).length(1),
    budgetingMethod: z.enum(['Occurrences', 'Timeslices']),
    description,
    indicator: z.strictObject({ thresholdMetric: metric }).optional(),
    service: text,
    objectives: z.array(Objective).min(1),
  }),
})
type Slo = z.infer<typeof Slo>
const Service = z.strictObject({
  apiVersion: z.literal(VERSION_V1ALPHA),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({ description }).default({}),
})

export function readV1alpha(source: Source, isStrict: boolean, tell: Tell): Found[] {
  const { kind } = source.value as { kind?: unknown }
  if (kind !== 'SLO' && kind !== 'Service') {
    tell(
      'error',
      'kind',
      ['kind'],
      `is ${shown(kind)}, which is none of ${VERSION_V1ALPHA}`,
      'take SLO or Service',
    )
    return []
  }
  const shape = kind === 'SLO' ? Slo : Service
  const parsed = shape.safeParse(withoutNulls(source.value), { reportInput: true })
  if (!parsed.success) {
    for (const told of toldOf(parsed.error.issues, shape))
      tell('error', told.code, told.path, told.message, told.remedy)
    return []
  }
  const old = parsed.data
  tell(
    'warning',
    'old-version',
    ['apiVersion'],
    `is taken over as ${VERSION_V1}`,
    `write it as ${VERSION_V1}`,
  )
  if (old.kind === 'Service') return [{ object: { ...old, apiVersion: VERSION_V1 }, source }]
  if (!checkSlo(old, isStrict, tell)) return []
  return convert(old, source, tell)
}

/** Rules of the SDK; lenient as Sloth reads: no value on ratios, and windows of days roll. */
function checkSlo({ spec }: Slo, isStrict: boolean, tell: Tell): boolean {
  let isGood = true
  const fail = (code: Parameters<Tell>[1], path: Path, message: string, remedy: string) => {
    tell('error', code, path, message, remedy)
    isGood = false
  }
  const ratios = spec.objectives.filter(({ ratioMetrics }) => ratioMetrics !== undefined).length
  if (ratios > 0 === (spec.indicator !== undefined))
    fail(
      ratios > 0 ? 'one-of' : 'required',
      ['spec'],
      ratios > 0 ? 'has indicator and ratioMetrics' : 'has neither indicator nor ratioMetrics',
      'keep exactly one of indicator, objectives[*].ratioMetrics',
    )
  spec.objectives.forEach(({ ratioMetrics, op, value, timeSliceTarget }, index) => {
    const at = ['spec', 'objectives', index]
    if (ratios > 0 && ratioMetrics === undefined)
      fail(
        'required',
        [...at, 'ratioMetrics'],
        'is required, as other objectives have it',
        'give it good and total',
      )
    if (value === undefined && (isStrict || ratioMetrics === undefined))
      fail(
        'required',
        [...at, 'value'],
        `is required in ${VERSION_V1ALPHA}`,
        'give it a number; for a ratio it means nothing',
      )
    if (ratioMetrics === undefined && op === undefined)
      fail('required', [...at, 'op'], 'is required with thresholdMetric', 'take lt, lte, gt or gte')
    if (ratioMetrics !== undefined && op !== undefined)
      if (isStrict) fail('forbidden', [...at, 'op'], 'is for thresholdMetric', 'leave it out')
      else tell('warning', 'forbidden', [...at, 'op'], 'is for thresholdMetric', 'leave it out')
    if (spec.budgetingMethod === 'Timeslices' && timeSliceTarget === undefined)
      fail(
        'required',
        [...at, 'timeSliceTarget'],
        'is required with Timeslices',
        'give the ratio from which a slice is good',
      )
  })
  const [window] = spec.timeWindows
  const at = ['spec', 'timeWindows', 0]
  if (window?.isRolling === true && window.calendar !== undefined)
    fail('one-of', at, 'rolls and has a calendar', 'leave out calendar, or say isRolling: false')
  if (window?.isRolling !== true && window?.calendar === undefined)
    if (isStrict)
      fail('required', at, 'does not roll and has no calendar', 'say isRolling: true, or give it a calendar')
    else
      tell(
        'warning',
        'assumed',
        at,
        'does not roll and has no calendar; it is taken to roll',
        'say isRolling: true',
      )
  if (window?.unit === 'Second' && window.count % 60 !== 0)
    fail('window', [...at, 'count'], 'is no whole number of minutes', 'take a multiple of 60 seconds')
  return isGood
}

const UNITS = { Second: 'm', Day: 'd', Week: 'w', Month: 'M', Quarter: 'Q' } as const
type OldMetric = z.infer<typeof metric>

function convert({ metadata: { name: own, displayName }, spec }: Slo, source: Source, tell: Tell): Found[] {
  const slices = spec.budgetingMethod === 'Timeslices'
  if (slices)
    tell(
      'warning',
      'assumed',
      ['spec', 'budgetingMethod'],
      `has no length of slices in ${VERSION_V1ALPHA}; one minute is assumed`,
      `write it as ${VERSION_V1} with timeSliceWindow`,
    )
  const sourceOf = ({ source: type, ...rest }: OldMetric) => ({ metricSource: { type, spec: rest } })
  const sliOf = (objective: Slo['spec']['objectives'][number]): SliSpecV1 =>
    objective.ratioMetrics === undefined
      ? { thresholdMetric: sourceOf(spec.indicator?.thresholdMetric ?? EMPTY) }
      : {
          ratioMetric: {
            counter: objective.ratioMetrics.incremental ?? false,
            good: sourceOf(objective.ratioMetrics.good),
            total: sourceOf(objective.ratioMetrics.total),
          },
        }
  const slis = spec.objectives.map(sliOf)
  const isSplit = new Set(slis.map((sli) => JSON.stringify(sli))).size > 1
  const objectives = spec.objectives.map(({ ratioMetrics, op, value, ...rest }): ObjectiveV1 => ({
    ...rest,
    ...(ratioMetrics === undefined ? { op, value } : {}),
    ...(slices ? { timeSliceWindow: '1m' } : {}),
  }))
  const groups = isSplit ? objectives.map((objective) => [objective]) : [objectives]
  const [{ unit, count, calendar: from } = { unit: 'Day' as const, count: 30, calendar: undefined }] =
    spec.timeWindows
  return groups.map((group, index): Found => {
    const suffix = isSplit ? `-${index}` : ''
    const sli = slis[index] ?? {}
    const object: SloV1 = {
      apiVersion: VERSION_V1,
      kind: 'SLO',
      metadata: {
        name: own + suffix,
        ...(displayName === undefined ? {} : { displayName: displayName + suffix }),
      },
      spec: {
        ...(spec.description === undefined ? {} : { description: spec.description }),
        service: spec.service,
        indicator: { metadata: { name: own + suffix }, spec: sli },
        timeWindow: [
          {
            duration: `${unit === 'Second' ? count / 60 : count}${UNITS[unit]}`,
            isRolling: from === undefined,
            ...(from === undefined ? {} : { calendar: from }),
          },
        ],
        budgetingMethod: spec.budgetingMethod,
        objectives: group,
      },
    }
    return {
      object,
      source: { ...source, origin: (path) => originOf(path, index, sli.ratioMetric !== undefined) },
    }
  })
}

const EMPTY: OldMetric = { source: '', queryType: '', query: '' }

/** Where something of the converted SLO stands in the old one. */
function originOf(path: Path, first: number, isRatio: boolean): Path {
  const [, field, ...rest] = path
  if (field === 'timeWindow')
    return ['spec', 'timeWindows', ...rest.map((part) => (part === 'duration' ? 'unit' : part))]
  if (field === 'objectives' && typeof rest[0] === 'number')
    return ['spec', field, rest[0] + first, ...rest.slice(1)]
  if (field !== 'indicator') return path
  const metricPath = rest.slice(
    rest.findIndex((part) => part === 'ratioMetric' || part === 'thresholdMetric'),
  )
  const inMetric = metricPath.flatMap((part) =>
    part === 'metricSource' || part === 'spec' || part === 'ratioMetric'
      ? []
      : [part === 'type' ? 'source' : part],
  )
  return isRatio
    ? ['spec', 'objectives', first, 'ratioMetrics', ...inMetric]
    : ['spec', 'indicator', ...inMetric]
}
