// Configuration by environment: one zod schema per process, read once, frozen. Every problem is reported
// together, by variable name, those between variables too. What the variables mean lives with each role's config.ts.

import { z } from 'zod'

/** The environment as it was given could not be accepted. `message` holds one line per problem. */
export class ConfigError extends Error {
  readonly code = 'SURETY_CONFIG'
  readonly retryable = false
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['Surety cannot start with this configuration:', ...problems.map((line) => `  ${line}`)].join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads one role's variables.
 *
 * @param schema  object schema whose keys are variable names
 * @param env     the environment; empty strings count as unset
 * @param known   every `SURETY_` name that any role knows; others are refused with a suggestion
 * @param between what is wrong between variables; it gets those that are right each for itself
 * @returns the parsed values under their variable names, frozen
 * @throws ConfigError naming every wrong and every unknown variable at once
 */
export function readConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Environment,
  known: readonly string[] = Object.keys(schema.shape),
  between: (values: Partial<z.output<z.ZodObject<Shape>>>) => readonly string[] = () => [],
): Readonly<z.output<z.ZodObject<Shape>>> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  )
  const problems = unknownVariables(Object.keys(given), known)
  const parsed = schema.safeParse(given)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = issue.path.map(String).join('.') || 'environment'
      const value = given[name]
      problems.push(`${name}${value === undefined ? '' : `=${shownValue(name, value)}`}: ${issue.message}`)
    }
  }
  problems.push(...between(parsed.success ? parsed.data : rightFields(schema, given)))
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(parsed.data)
}

/** A value as people may see it: no password, not even one in a URL. */
export function shownValue(name: string, value: string): string {
  if (/(?:PASSWORD|SECRET|_SIGNING_KEY)$/.test(name)) return '(not shown)'
  return JSON.stringify(value.replaceAll(/\/\/[^/@,]*@/g, '//(not shown)@'))
}

function rightFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  given: Environment,
): Partial<z.output<z.ZodObject<Shape>>> {
  const right = Object.entries(schema.shape).flatMap(([name, field]) => {
    const parsed = z.safeParse(field, given[name])
    return parsed.success ? [[name, parsed.data] as const] : []
  })
  return Object.fromEntries(right) as Partial<z.output<z.ZodObject<Shape>>>
}

function unknownVariables(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith('SURETY_') && !known.includes(name))
    .map((name) => {
      const nearest = suggestion(name, known)
      return `${name}: no such variable${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
    })
}

function suggestion(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(3, name.length / 4) ? best.candidate : undefined
}

/** Levenshtein distance: insertions, deletions and substitutions between two short names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[b.length] ?? 0
}

// Field kinds that several roles share.

/** A whole number within bounds. The message says the bounds. */
export function integer(min: number, max: number, fallback: number) {
  const message = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^-?\d+$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(fallback)
}

/** A TCP port; 0 lets the system choose. */
export const port = (fallback: number) => integer(0, 65_535, fallback)

/** `1`, `true`, `yes`, `on` and their opposites. */
export const flag = (fallback: boolean) =>
  z
    .enum(['1', 'true', 'yes', 'on', '0', 'false', 'no', 'off'], { error: 'must be 1 or 0' })
    .transform((word) => ['1', 'true', 'yes', 'on'].includes(word))
    .default(fallback)

/** Comma-separated words. */
export const list = (fallback: readonly string[]) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    )
    .default([...fallback])
