// The shapes of openslo/v1: its seven kinds, each member named, nothing beside. What must fit together is in rules-v1.ts.
// Source: OpenSLO/OpenSLO README.md; limits as its go-sdk v0.9.2 has them.

import { z } from 'zod'
import { parseDuration } from './duration.ts'
import { rule } from './issues.ts'
import { shown } from './problem.ts'
import { zoneProblem } from './time-zone.ts'

export const VERSION_V1 = 'openslo/v1'
const DESCRIPTION_MAX = 1050
export const DISPLAY_NAME_MAX = 63

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
export const name = z
  .string()
  .refine(
    (text) => DNS_LABEL.test(text),
    rule(
      'must be lower case letters, digits and hyphens, at most 63, a letter or digit first and last',
      'write it like transfer-availability; what people read goes into displayName',
    ),
  )
export const text = z.string().min(1)
export const description = z.string().max(DESCRIPTION_MAX).optional()
export const duration = z
  .string()
  .refine(
    (written) => parseDuration(written) !== undefined,
    rule('must be a whole number above zero and one of m h d w M Q Y', 'write 5m, 30d or, for a month, 1M'),
  )
const annotationKey = z
  .string()
  .refine(
    (key) =>
      /^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(
        key,
      ) && key.indexOf('/') <= 253,
    rule('must be a name, or a domain, a slash and a name', 'write it like my-domain.org/my-key'),
  )
const labelKey = z
  .string()
  .refine(
    (key) => /^[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(key),
    rule(
      'must be letters, digits, dots, hyphens and underscores, at most 63',
      'write it like team or cost.centre',
    ),
  )
export const annotations = z.record(annotationKey, z.string()).optional()
const metadata = z.strictObject({
  name,
  displayName: z.string().optional(),
  labels: z.record(labelKey, z.union([z.string(), z.array(z.string())])).optional(),
  annotations,
})
export type MetadataV1 = z.infer<typeof metadata>

const metricSource = z.strictObject({
  metricSourceRef: name.optional(),
  type: z.string().optional(),
  spec: z
    .record(z.string(), z.unknown())
    .refine(
      (spec) => Object.keys(spec).length > 0,
      rule('must say at least one thing', 'say what is asked, such as a query'),
    ),
})
export type MetricSourceV1 = z.infer<typeof metricSource>
const metric = z.strictObject({ metricSource })
export const rawType = z.enum(['success', 'failure'])
export const SliSpecV1 = z.strictObject({
  description,
  thresholdMetric: metric.optional(),
  ratioMetric: z
    .strictObject({
      counter: z.boolean().optional(),
      good: metric.optional(),
      bad: metric.optional(),
      total: metric.optional(),
      rawType: rawType.optional(),
      raw: metric.optional(),
    })
    .optional(),
})
export type SliSpecV1 = z.infer<typeof SliSpecV1>

const inlineSli = z.strictObject({ metadata, spec: SliSpecV1 })
export const operator = z.enum(['lte', 'gte', 'lt', 'gt'])
const REMEDY_TARGET = 'a promise leaves a budget: 0.999 is 99.9 %'
export const target = z
  .number()
  .refine((value) => value >= 0 && value < 1, rule('must be from 0 to below 1', REMEDY_TARGET))
export const targetPercent = z
  .number()
  .refine(
    (value) => value >= 0 && value < 100,
    rule('must be from 0 to below 100', 'a promise leaves a budget: 99.9 is 99.9 %'),
  )
export const compositeWeight = z
  .number()
  .refine((value) => value > 0, rule('must be above 0', '1 is the weight of those that have none'))
const ObjectiveV1 = z.strictObject({
  displayName: z.string().optional(),
  op: operator.optional(),
  value: z.number().optional(),
  target: target.optional(),
  targetPercent: targetPercent.optional(),
  timeSliceTarget: z.number().optional(),
  timeSliceWindow: z.union([duration, z.number().int().positive()]).optional(),
  indicator: inlineSli.optional(),
  indicatorRef: name.optional(),
  compositeWeight: compositeWeight.optional(),
})
export type ObjectiveV1 = z.infer<typeof ObjectiveV1>

export const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const
const START = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/
export const calendar = z.strictObject({
  startTime: z
    .string()
    .refine(
      isLocalTime,
      rule('must be a date and time that exist, without zone', 'write it like 2026-01-01 00:00:00'),
    ),
  timeZone: z.string().superRefine((zone, context) => {
    const remedy = zoneProblem(zone)
    if (remedy !== undefined)
      context.addIssue({
        code: 'custom',
        message: `is ${shown(zone)}, no zone that is known`,
        params: { remedy, code: 'time-zone' },
      })
  }),
})
const TimeWindowV1 = z.strictObject({
  duration,
  isRolling: z.boolean().optional(),
  calendar: calendar.optional(),
})
export type TimeWindowV1 = z.infer<typeof TimeWindowV1>

const AlertConditionSpec = z.strictObject({
  description,
  severity: text,
  condition: z.strictObject({
    kind: z.literal('burnrate'),
    op: operator,
    threshold: z.number(),
    lookbackWindow: duration,
    alertAfter: z.union([duration, z.literal('0m')]).optional(),
  }),
})
export type AlertConditionSpecV1 = z.infer<typeof AlertConditionSpec>
const TargetSpec = z.strictObject({ description, target: text })
const inline = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  z.strictObject({ kind: z.literal(kind), metadata, spec })
const AlertPolicySpec = z.strictObject({
  description,
  alertWhenNoData: z.boolean().optional(),
  alertWhenResolved: z.boolean().optional(),
  alertWhenBreaching: z.boolean().optional(),
  conditions: z
    .array(z.union([z.strictObject({ conditionRef: name }), inline('AlertCondition', AlertConditionSpec)]))
    .refine(
      (list) => list.length === 1,
      rule('must hold exactly one condition', 'make a policy of each condition'),
    ),
  notificationTargets: z
    .array(z.union([z.strictObject({ targetRef: name }), inline('AlertNotificationTarget', TargetSpec)]))
    .refine((list) => list.length > 0, rule('must hold at least one target', 'say who is told')),
})
export type AlertPolicySpecV1 = z.infer<typeof AlertPolicySpec>

export const SloSpecV1 = z.strictObject({
  description,
  service: text.max(512),
  indicator: inlineSli.optional(),
  indicatorRef: name.optional(),
  timeWindow: z.array(TimeWindowV1).optional(),
  budgetingMethod: z.enum(METHODS),
  objectives: z.array(ObjectiveV1).min(1),
  alertPolicies: z
    .array(z.union([z.strictObject({ alertPolicyRef: name }), inline('AlertPolicy', AlertPolicySpec)]))
    .optional(),
})
export type SloSpecV1 = z.infer<typeof SloSpecV1>

const object = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal(VERSION_V1), kind: z.literal(kind), metadata, spec })

export const DataSourceSpec = z.strictObject({
  description,
  type: text,
  connectionDetails: z
    .unknown()
    .refine(
      (value) => value !== undefined,
      rule('is required', 'say how it is reached, be it with {}', 'required'),
    ),
})
export const OBJECTS_V1 = {
  DataSource: object('DataSource', DataSourceSpec),
  SLI: object('SLI', SliSpecV1),
  SLO: object('SLO', SloSpecV1),
  Service: object('Service', z.strictObject({ description }).default({})),
  AlertPolicy: object('AlertPolicy', AlertPolicySpec),
  AlertCondition: object('AlertCondition', AlertConditionSpec),
  AlertNotificationTarget: object('AlertNotificationTarget', TargetSpec),
} as const
export type KindV1 = keyof typeof OBJECTS_V1
export const KINDS_V1 = Object.keys(OBJECTS_V1) as readonly KindV1[]
export type ObjectV1 = { [Kind in KindV1]: z.infer<(typeof OBJECTS_V1)[Kind]> }[KindV1]
export type ObjectOf<Kind extends KindV1> = Extract<ObjectV1, { kind: Kind }>
export type SloV1 = ObjectOf<'SLO'>

export const isKindV1 = (kind: unknown): kind is KindV1 =>
  typeof kind === 'string' && Object.hasOwn(OBJECTS_V1, kind)

function isLocalTime(written: string): boolean {
  if (!START.test(written)) return false
  const ms = Date.parse(`${written.replace(' ', 'T')}Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === written.replace(' ', 'T')
}
