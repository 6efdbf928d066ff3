// Our own words on an SLO, where OpenSLO has none: annotations with the prefix `surety/`. Their values are texts, as all annotations'
// are; a word of ours that is not known is told, because one that is misspelled would be lost. Documented in deploy/slos/README.md.

import { z } from 'zod'
import { MISSING_DATA, SEVERITIES, TIERS, type Severity } from '../slo/model.ts'
import { nearest, rule, toldOf } from './issues.ts'
import type { Path, Tell } from './problem.ts'

export const ANNOTATION_PREFIX = 'surety/'

const WHOLE = /^\d{1,9}$/
const DECIMAL = /^\d{1,3}(?:\.\d{1,12})?$/
const whole = (least: number) =>
  z
    .string()
    .refine(
      (text) => WHOLE.test(text) && Number(text) >= least,
      rule(`must be a whole number from ${least}`, `write it as a text: "${least + 20}"`),
    )
    .transform(Number)
const ratio = (fits: (value: number) => boolean, message: string) =>
  z
    .string()
    .refine((text) => DECIMAL.test(text) && fits(Number(text)), rule(message, 'write it as a text: "0.9"'))
    .transform(Number)
const partRatio = ratio((value) => value > 0 && value <= 1, 'must be a ratio above 0 and at most 1')

const severities = z
  .string()
  .refine(
    (text) => text === 'none' || listed(text) !== undefined,
    rule('must be page, ticket, both with a comma, or none', 'write "page,ticket"'),
  )
  .transform((text) => (text === 'none' ? [] : (listed(text) ?? [])))

function listed(text: string): Severity[] | undefined {
  const words = text.split(',').map((word) => word.trim())
  const known = SEVERITIES.filter((one) => words.includes(one))
  return known.length === words.length ? known : undefined
}

const OfSlo = z.strictObject({
  /** critical, general or office; by default that of the service's system. */
  tier: z.enum(TIERS).optional(),
  /** Length of the slices that are kept; by default 10s for critical, else 60s. */
  step: z.enum(['10s', '60s']).optional(),
  'burn-profile': z
    .string()
    .refine(
      (text) => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(text),
      rule('is no name of a profile', 'write it like workbook-30d'),
    )
    .optional(),
  'alert-severities': severities.optional(),
  'min-total': whole(0).optional(),
  'min-bad': whole(0).optional(),
  'outage-ratio': z.union([z.literal('off'), partRatio]).optional(),
  'outage-min-total': whole(1).optional(),
  'missing-data': z.enum(MISSING_DATA).optional(),
  'coverage-floor': partRatio.optional(),
  /** Of Timeslices: what a slice without events is. */
  'empty-slices': z.enum(['good', 'ignore']).optional(),
  'composite-target': ratio(
    (value) => value >= 0 && value < 1,
    'must be a ratio from 0 to below 1',
  ).optional(),
  'imported-from': z.string().optional(),
})
export type SloAnnotations = z.infer<typeof OfSlo>
const OfOthers = OfSlo.pick({ 'imported-from': true })

/** All of them, without the prefix. */
export const ANNOTATION_NAMES = Object.keys(OfSlo.shape)

/** @returns what they say; those that are wrong are told and left out */
export function readAnnotations(
  annotations: Readonly<Record<string, string>> = {},
  tell: Tell,
  isSlo = true,
): SloAnnotations {
  const shape = isSlo ? OfSlo : OfOthers
  const path = (name: string): Path => ['metadata', 'annotations', ANNOTATION_PREFIX + name]
  const said: [string, string][] = []
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(ANNOTATION_PREFIX)) continue
    const name = key.slice(ANNOTATION_PREFIX.length)
    if (name in shape.shape) said.push([name, value])
    else tellUnknown(name, isSlo, path(name), tell)
  }
  const parsed = shape.safeParse(Object.fromEntries(said), { reportInput: true })
  if (parsed.success) return parsed.data
  const told = toldOf(parsed.error.issues, shape)
  for (const { path: at, message, remedy } of told)
    tell('error', 'annotation', path(String(at[0])), message, remedy)
  const wrong = told.map(({ path: at }) => at[0])
  return shape.parse(Object.fromEntries(said.filter(([name]) => !wrong.includes(name))))
}

function tellUnknown(name: string, isSlo: boolean, path: Path, tell: Tell): void {
  if (!isSlo && ANNOTATION_NAMES.includes(name)) {
    tell('error', 'unknown-annotation', path, 'says something of SLOs alone', 'put it on the SLO')
    return
  }
  const near = nearest(name, ANNOTATION_NAMES)
  const remedy =
    near === undefined
      ? `there are ${ANNOTATION_NAMES.map((one) => ANNOTATION_PREFIX + one).join(', ')}`
      : `did you mean «${ANNOTATION_PREFIX}${near}»?`
  tell('error', 'unknown-annotation', path, 'is none of the annotations of Surety', remedy)
}
