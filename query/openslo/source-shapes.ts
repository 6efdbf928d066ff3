// What the spec of a metric source of the type `Surety` may say. The total of a ratio says which requests or which metric; good or
// bad say what makes one of them good or bad. Documented in deploy/slos/README.md.

import { z } from 'zod'
import { DIMENSIONS, METRIC_FUNCTIONS, OUTCOMES, type Dimension } from '../slo/model.ts'
import { rule } from './issues.ts'
import { name } from './schema-v1.ts'

/** Groups that one SLO may have. */
export const GROUPS_MAX = 1000
export const GROUPS_DEFAULT = 100
const VALUES_MAX = 100
const CODES_MAX = 500

const word = z.string().min(1).max(512)
const values = z.union([word, z.array(word).min(1).max(VALUES_MAX)])
const dimensions = Object.fromEntries(DIMENSIONS.map((one) => [one, values.optional()])) as Record<
  Dimension,
  z.ZodOptional<typeof values>
>
const selection = z.strictObject({ ...dimensions, attributes: z.record(word, values).optional() })
export type WrittenSelection = z.infer<typeof selection>

const selector = z.string().min(1).max(4000)
const probe = z.union([
  z.strictObject({
    url: word,
    statusClass: z
      .string()
      .refine((text) => /^[1-5]xx$/.test(text), rule('must be 1xx to 5xx', 'write 2xx'))
      .optional(),
  }),
  z.strictObject({ selector }),
])
export type WrittenProbe = z.infer<typeof probe>

const requests = {
  where: selection.optional(),
  except: selection.optional(),
  traffic: values.optional(),
  groupBy: z
    .array(z.union([z.enum(DIMENSIONS), z.strictObject({ attribute: word })]))
    .min(1)
    .max(3)
    .optional(),
  groupsMax: z
    .number()
    .int()
    .refine(
      (count) => count >= 1 && count <= GROUPS_MAX,
      rule(`must be from 1 to ${GROUPS_MAX}`, 'group by something that has fewer values', 'groups'),
    )
    .optional(),
  fallback: z.strictObject({ below: z.number().int().min(1), probe }).optional(),
  /** With a threshold: what of a request is compared. */
  measure: z.literal('latency').optional(),
}
export const SOURCES = {
  requests: z.strictObject({ signal: z.literal('requests'), ...requests }),
  journey: z.strictObject({ signal: z.literal('journey'), txnCode: values, ...requests }),
  metric: z.strictObject({
    signal: z.literal('metric'),
    selector,
    function: z.enum(METRIC_FUNCTIONS).optional(),
  }),
  probe: z.union([
    z.strictObject({ signal: z.literal('probe'), ...probe.options[0].shape }),
    z.strictObject({ signal: z.literal('probe'), ...probe.options[1].shape }),
  ]),
  slo: z.strictObject({ signal: z.literal('slo'), slo: name }),
} as const
export type Signal = keyof typeof SOURCES
export const SIGNALS = Object.keys(SOURCES) as readonly Signal[]
export type WrittenRequests = z.infer<(typeof SOURCES)['requests']> | z.infer<(typeof SOURCES)['journey']>

const outcomes = z.array(z.enum(OUTCOMES)).min(1).optional()
const codes = z.array(word).min(1).max(CODES_MAX).optional()
const ms = z
  .number()
  .refine(
    (value) => value > 0 && value <= 86_400_000,
    rule('must be above 0 ms and at most a day', 'give milliseconds'),
  )
  .optional()
/** All that is said must hold. */
export const GoodRequests = z.strictObject({
  outcomes,
  withinMs: ms,
  returnCodes: codes,
  exceptReturnCodes: codes,
})
/** Any that is said suffices. */
export const BadRequests = z.strictObject({ outcomes, overMs: ms, returnCodes: codes })
export const MetricPart = z.strictObject({ selector })
