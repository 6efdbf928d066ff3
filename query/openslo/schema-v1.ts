// The shapes of openslo/v1: its seven kinds, each member named, nothing beside. What must fit together is in rules-v1.ts.
// Source: OpenSLO/OpenSLO README.md; limits as its go-sdk has them.

import { z } from 'zod'
import { parseDuration } from './duration.ts'

export const VERSION_V1 = 'openslo/v1'
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const DESCRIPTION_MAX = 1050
const NAME_MAX = 63

const name = z
  .string()
  .max(NAME_MAX, `has more than ${NAME_MAX} characters`)
  .regex(NAME, 'must be lower case letters, digits and hyphens, beginning and ending with a letter or digit')
const displayName = z.string().max(NAME_MAX, `has more than ${NAME_MAX} characters`).optional()
const description = z.string().max(DESCRIPTION_MAX, `has more than ${DESCRIPTION_MAX} characters`).optional()
const duration = z
  .string()
  .refine(
    (text) => parseDuration(text) !== undefined,
    'must be a whole number above zero and one of m h d w M Q Y: 5m, 30d, 1M',
  )
const annotationKey = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/,
    'must be a name, or a domain, a slash and a name',
  )
const labelKey = z
  .string()
  .regex(/^[A-Za-z0-9](?:[-\w./]{0,251}[A-Za-z0-9])?$/, 'must begin and end with a letter or digit')
const metadata = z.strictObject({
  name,
  displayName,
  labels: z.record(labelKey, z.union([z.string(), z.array(z.string())])).optional(),
  annotations: z.record(annotationKey, z.string()).optional(),
})
const inlineMetadata = metadata

const metricSource = z.strictObject({
  metricSourceRef: z.string().min(1).optional(),
  type: z.string().min(1).optional(),
  spec: z
    .record(z.string(), z.unknown())
    .refine((spec) => Object.keys(spec).length > 0, 'must say at least one thing, such as a query'),
})
const metric = z.strictObject({ metricSource })
export const SliSpecV1 = z.strictObject({
  description,
  thresholdMetric: metric.optional(),
  ratioMetric: z
    .strictObject({
      counter: z.boolean().optional(),
      good: metric.optional(),
      bad: metric.optional(),
      total: metric.optional(),
      raw: metric.optional(),
      rawType: z.enum(['success', 'failure']).optional(),
    })
    .optional(),
})
export type SliSpecV1 = z.infer<typeof SliSpecV1>

const inlineSli = z.strictObject({ metadata: inlineMetadata, spec: SliSpecV1 })
const number = z.number()
const ObjectiveV1 = z.strictObject({
  displayName,
  op: z.enum(['lte', 'gte', 'lt', 'gt']).optional(),
  value: number.optional(),
  target: number.min(0, 'must not be below 0').lt(1, 'must be below 1: 0.999 is 99.9 %').optional(),
  targetPercent: number.min(0, 'must not be below 0').lt(100, 'must be below 100').optional(),
  timeSliceTarget: number.gt(0, 'must be above 0').lte(1, 'must not be above 1').optional(),
  timeSliceWindow: z.union([duration, number.int().positive()]).optional(),
  compositeWeight: number.gt(0, 'must be above 0').optional(),
  indicator: inlineSli.optional(),
  indicatorRef: name.optional(),
})
export type ObjectiveV1 = z.infer<typeof ObjectiveV1>

export const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const
const TimeWindowV1 = z.strictObject({
  duration,
  isRolling: z.boolean().optional(),
  calendar: z
    .strictObject({
      startTime: z
        .string()
        .regex(
          /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/,
          'must be a date and time without zone: 2026-01-01 00:00:00',
        ),
      timeZone: z.string().refine(isZone, 'is no time zone of the IANA database: Asia/Shanghai, UTC'),
    })
    .optional(),
})
export type TimeWindowV1 = z.infer<typeof TimeWindowV1>

const AlertConditionSpec = z.strictObject({
  description,
  severity: z.string().min(1),
  condition: z.strictObject({
    kind: z.literal('burnrate'),
    op: z.enum(['lte', 'gte', 'lt', 'gt']),
    threshold: number,
    lookbackWindow: duration,
    alertAfter: z.union([duration, z.literal('0m')]).optional(),
  }),
})
const TargetSpec = z.strictObject({ description, target: z.string().min(1) })
const AlertPolicySpec = z.strictObject({
  description,
  alertWhenNoData: z.boolean().optional(),
  alertWhenResolved: z.boolean().optional(),
  alertWhenBreaching: z.boolean().optional(),
  conditions: z
    .array(
      z.union([
        z.strictObject({ conditionRef: name }),
        z.strictObject({
          kind: z.literal('AlertCondition'),
          metadata: inlineMetadata,
          spec: AlertConditionSpec,
        }),
      ]),
    )
    .length(1, 'must hold exactly one condition'),
  notificationTargets: z
    .array(
      z.union([
        z.strictObject({ targetRef: name }),
        z.strictObject({
          kind: z.literal('AlertNotificationTarget'),
          metadata: inlineMetadata,
          spec: TargetSpec,
        }),
      ]),
    )
    .min(1, 'must hold at least one target'),
})
export type AlertPolicySpecV1 = z.infer<typeof AlertPolicySpec>

export const SloSpecV1 = z.strictObject({
  description,
  service: name,
  indicator: inlineSli.optional(),
  indicatorRef: name.optional(),
  timeWindow: z.array(TimeWindowV1).length(1, 'must hold exactly one window'),
  budgetingMethod: z.enum(METHODS),
  objectives: z.array(ObjectiveV1).min(1, 'must hold at least one objective'),
  alertPolicies: z
    .array(
      z.union([
        z.strictObject({ alertPolicyRef: name }),
        z.strictObject({ kind: z.literal('AlertPolicy'), metadata: inlineMetadata, spec: AlertPolicySpec }),
      ]),
    )
    .optional(),
})
export type SloSpecV1 = z.infer<typeof SloSpecV1>

const object = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal(VERSION_V1), kind: z.literal(kind), metadata, spec })

export const OBJECTS_V1 = {
  DataSource: object(
    'DataSource',
    z.strictObject({ description, type: z.string().min(1), connectionDetails: z.unknown() }),
  ),
  SLI: object('SLI', SliSpecV1),
  SLO: object('SLO', SloSpecV1),
  Service: object('Service', z.strictObject({ description })),
  AlertPolicy: object('AlertPolicy', AlertPolicySpec),
  AlertCondition: object('AlertCondition', AlertConditionSpec),
  AlertNotificationTarget: object('AlertNotificationTarget', TargetSpec),
} as const
export type KindV1 = keyof typeof OBJECTS_V1
export const KINDS_V1 = Object.keys(OBJECTS_V1) as readonly KindV1[]
export type ObjectV1 = { [Kind in KindV1]: z.infer<(typeof OBJECTS_V1)[Kind]> }[KindV1]
export type SloV1 = z.infer<(typeof OBJECTS_V1)['SLO']>

function isZone(text: string): boolean {
  try {
    // An offset is no zone: its rules for summer time are unknown.
    return (
      !/^[+-]/.test(text) && new Intl.DateTimeFormat('en', { timeZone: text }) instanceof Intl.DateTimeFormat
    )
  } catch {
    return false
  }
}
