// An SLO as it is executed: what OpenSLO says, made definite. Where OpenSLO has no word for it, annotations with our own prefix
// say it, or the spec of a metric source of the type `surety`, which is ours to define.

import { z } from 'zod'
import { Outcome } from '../http/schemas.ts'
import { durationSeconds, parseDuration, type Duration } from './duration.ts'
import type { Path } from './problem.ts'
import type { SliSpecV1, SloV1 } from './schema-v1.ts'
import { DIMENSIONS, GOOD_OUTCOMES, type Dimension, type Good, type Selector } from '../measure/question.ts'

/** Prefix of our annotations. */
export const PREFIX = 'slo.surety'

export type SloWindow =
  | { readonly kind: 'rolling'; readonly duration: Duration }
  | {
      readonly kind: 'calendar'
      readonly duration: Duration
      /** Local date and time without zone, and the zone it is told in. */
      readonly startTime: string
      readonly timeZone: string
    }

export type Indicator = {
  readonly name: string
  readonly selector: Selector
  readonly good: Good
  readonly entryOnly: boolean
  readonly traffic: string
  readonly groupBy: readonly Dimension[]
}

export type SloObjective = {
  readonly displayName: string
  /** Decimal digits as they were written, 0.999: no binary fraction stands for it exactly. */
  readonly target: string
  readonly timeSliceTarget: number | undefined
  readonly timeSliceSeconds: number | undefined
  readonly weight: number
  readonly indicator: Indicator
}

export const BUDGETING_METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const
export type SloModel = {
  readonly name: string
  readonly displayName: string
  readonly description: string
  readonly service: string
  readonly method: (typeof BUDGETING_METHODS)[number]
  readonly window: SloWindow
  readonly objectives: readonly SloObjective[]
  readonly stepSeconds: 10 | 60
  readonly burnProfile: string
  /** Fewer events than these in a window say nothing: guards of burn alerts. */
  readonly minTotal: number
  readonly minBad: number
}

export type ModelProblem = { readonly code: string; readonly path: Path; readonly message: string }

const dimension = z.enum(DIMENSIONS)
const Requests = z.strictObject({
  ...Object.fromEntries(DIMENSIONS.map((name) => [name, z.string().min(1).max(512).optional()])),
  entry: z.boolean().optional(),
  traffic: z.string().min(1).optional(),
  groupBy: z.array(dimension).max(3).optional(),
  measure: z.literal('latency').optional(),
})
const GoodSpec = z.strictObject({
  outcomes: z.array(Outcome).min(1).optional(),
  returnCodes: z.array(z.string().min(1)).min(1).max(200).optional(),
  withinMs: z.number().positive().optional(),
})

const Annotations = z.object({
  [`${PREFIX}/step`]: z.enum(['10s', '60s']).optional(),
  [`${PREFIX}/burn-profile`]: z.string().optional(),
  [`${PREFIX}/min-total`]: z.coerce.number().int().nonnegative().optional(),
  [`${PREFIX}/min-bad`]: z.coerce.number().int().nonnegative().optional(),
})

// Handbook 2.8: with fewer, one failure would page.
const MIN_TOTAL_DEFAULT = 20
const MIN_BAD_DEFAULT = 3

/**
 * @param sliOf  spec of a kept SLI by name
 * @returns the model, or everything that keeps the SLO from being executed
 */
export function modelOf(
  slo: SloV1,
  sliOf: (name: string) => { readonly name: string; readonly spec: SliSpecV1 } | undefined,
): { readonly model: SloModel } | { readonly problems: readonly ModelProblem[] } {
  const problems: ModelProblem[] = []
  const { metadata, spec } = slo
  const annotations = metadata.annotations ?? {}
  const ours = Object.keys(annotations).filter((key) => key.startsWith(`${PREFIX}/`))
  const known = Object.keys(Annotations.shape)
  for (const key of ours.filter((one) => !known.includes(one)))
    problems.push({
      code: 'unknown-annotation',
      path: ['metadata', 'annotations', key],
      message: `is none of ours: ${known.join(', ')}`,
    })
  const read = Annotations.safeParse(annotations)
  if (!read.success)
    for (const { path, message } of read.error.issues)
      problems.push({ code: 'annotation', path: ['metadata', 'annotations', ...(path as string[])], message })
  const said: Readonly<Record<string, unknown>> = read.success ? read.data : {}

  const above = spec.indicator ?? named(spec.indicatorRef, sliOf)
  const objectives = spec.objectives.flatMap((objective, index): SloObjective[] => {
    const path = ['spec', 'objectives', index]
    const sli = objective.indicator ?? named(objective.indicatorRef, sliOf) ?? above
    if (sli === undefined) {
      problems.push({ code: 'required', path, message: 'has no indicator that is known' })
      return []
    }
    const indicator = indicatorOf(sli, objective, path, problems)
    if (indicator === undefined) return []
    const slice = sliceSeconds(objective.timeSliceWindow)
    return [
      {
        displayName: objective.displayName ?? '',
        target: targetText(objective),
        timeSliceTarget: objective.timeSliceTarget,
        timeSliceSeconds: slice,
        weight: objective.compositeWeight ?? 1,
        indicator,
      },
    ]
  })
  const stepSeconds = said[`${PREFIX}/step`] === '10s' ? 10 : 60
  objectives.forEach(({ timeSliceSeconds }, index) => {
    if (timeSliceSeconds !== undefined && timeSliceSeconds % stepSeconds !== 0)
      problems.push({
        code: 'slice',
        path: ['spec', 'objectives', index, 'timeSliceWindow'],
        message: `must be a multiple of the ${stepSeconds} s that are measured`,
      })
  })
  const [window] = spec.timeWindow
  const duration = parseDuration(window?.duration ?? '')
  if (window === undefined || duration === undefined)
    problems.push({ code: 'required', path: ['spec', 'timeWindow'], message: 'needs one window' })
  if (problems.length > 0 || window === undefined || duration === undefined) return { problems }
  return {
    model: {
      name: metadata.name,
      displayName: metadata.displayName ?? metadata.name,
      description: spec.description ?? '',
      service: spec.service,
      method: spec.budgetingMethod,
      window:
        window.calendar === undefined
          ? { kind: 'rolling', duration }
          : { kind: 'calendar', duration, ...window.calendar },
      objectives,
      stepSeconds,
      burnProfile: textOf(said[`${PREFIX}/burn-profile`]),
      minTotal: Number(said[`${PREFIX}/min-total`] ?? MIN_TOTAL_DEFAULT),
      minBad: Number(said[`${PREFIX}/min-bad`] ?? MIN_BAD_DEFAULT),
    },
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

type Sli = { readonly metadata?: { readonly name: string }; readonly name?: string; readonly spec: SliSpecV1 }

function named(
  name: string | undefined,
  sliOf: (name: string) => { readonly name: string; readonly spec: SliSpecV1 } | undefined,
): Sli | undefined {
  return name === undefined ? undefined : sliOf(name)
}

function sliceSeconds(text: string | number | undefined): number | undefined {
  // A bare number is minutes.
  if (typeof text === 'number') return text * 60
  const duration = parseDuration(text ?? '')
  return duration === undefined ? undefined : durationSeconds(duration)
}

/** Percent to ratio by moving the point, never by dividing: 99.9 % is 0.999 and nothing beside it. */
export function targetText({
  target,
  targetPercent,
}: {
  target?: number | undefined
  targetPercent?: number | undefined
}): string {
  if (target !== undefined) return plain(target)
  const text = plain(targetPercent ?? 0)
  const [whole = '0', fraction = ''] = text.split('.')
  const digits = whole.padStart(3, '0') + fraction
  const moved = `${digits.slice(0, whole.padStart(3, '0').length - 2)}.${digits.slice(whole.padStart(3, '0').length - 2)}`
  return moved.replace(/^0+(?=\d)/, '').replace(/\.?0+$/, '') || '0'
}

function plain(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text
}

function indicatorOf(
  sli: Sli,
  objective: SloV1['spec']['objectives'][number],
  path: Path,
  problems: ModelProblem[],
): Indicator | undefined {
  const name = sli.metadata?.name ?? sli.name ?? ''
  const { ratioMetric, thresholdMetric } = sli.spec
  const source = (ratioMetric?.total ?? thresholdMetric)?.metricSource
  if (source?.type !== 'surety') {
    const message = `is measured by «${source?.type ?? 'nothing'}»; requests are measured with a metric source of the type surety`
    problems.push({ code: 'source', path: [...path, 'indicator'], message })
    return undefined
  }
  const requests = parsed(Requests, source.spec, [...path, 'indicator'], problems)
  const good =
    thresholdMetric === undefined
      ? ratioGood(sli.spec, path, problems)
      : thresholdGood(objective, requests, path, problems)
  if (requests === undefined || good === undefined) return undefined
  const { entry, traffic, groupBy, measure: _measure, ...selector } = requests
  return {
    name,
    selector,
    good,
    entryOnly: entry ?? false,
    traffic: traffic ?? 'live',
    groupBy: groupBy ?? [],
  }
}

function ratioGood(spec: SliSpecV1, path: Path, problems: ModelProblem[]): Good | undefined {
  const at = [...path, 'indicator', 'ratioMetric', 'good']
  const source = spec.ratioMetric?.good?.metricSource
  if (source?.type !== 'surety') {
    problems.push({
      code: 'source',
      path: at,
      message: 'must say in a source of the type surety which requests are good',
    })
    return undefined
  }
  const good = parsed(GoodSpec, source.spec, at, problems)
  if (good === undefined) return undefined
  const { outcomes = GOOD_OUTCOMES, returnCodes, withinMs } = good
  if (returnCodes !== undefined && withinMs !== undefined) {
    problems.push({
      code: 'one-of',
      path: at,
      message: 'has returnCodes and withinMs; make two SLOs of them',
    })
    return undefined
  }
  if (returnCodes !== undefined) return { kind: 'returnCode', codes: returnCodes }
  return withinMs === undefined
    ? { kind: 'outcome', outcomes }
    : { kind: 'latency', thresholdMs: withinMs, outcomes }
}

function thresholdGood(
  { op, value }: SloV1['spec']['objectives'][number],
  requests: z.infer<typeof Requests> | undefined,
  path: Path,
  problems: ModelProblem[],
): Good | undefined {
  if (requests?.measure !== 'latency') {
    problems.push({
      code: 'source',
      path: [...path, 'indicator'],
      message: 'a threshold needs measure: latency (ms)',
    })
    return undefined
  }
  if ((op !== 'lte' && op !== 'lt') || value === undefined || value <= 0) {
    problems.push({
      code: 'threshold',
      path,
      message: 'latency is good below a value: op lte or lt, and value in ms above zero',
    })
    return undefined
  }
  // Durations are whole nanoseconds.
  return { kind: 'latency', thresholdMs: op === 'lt' ? value - 1e-6 : value, outcomes: [...Outcome.options] }
}

function parsed<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
  path: Path,
  problems: ModelProblem[],
): z.infer<Shape> | undefined {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : ['']
    for (const key of keys)
      problems.push({
        code: issue.code === 'unrecognized_keys' ? 'unknown-field' : 'invalid',
        path: [...path, 'spec', ...(issue.path as (string | number)[]), ...(key === '' ? [] : [key])],
        message:
          key === ''
            ? issue.message
            : `unknown field «${key}»; there are ${DIMENSIONS.join(', ')}, entry, traffic, groupBy`,
      })
  }
  return undefined
}
