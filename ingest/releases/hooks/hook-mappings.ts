// The file of mapped webhooks, SURETY_RELEASE_HOOKS: YAML or JSON, one entry per tool. Every mistake in it is named.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { ConfigError } from '../../runtime/config.ts'
import { parsePlace, type JsonPlace } from '../steps/json-place.ts'
import { MAPPED_FIELDS, type HookMapping, type MappedField } from '../steps/mapped.ts'
import { changeType, stepKind } from '../steps/custom-data.ts'
import { STEP_KINDS, CHANGE_TYPES } from '../../records/release-step.ts'
import { TOKEN_PROOF, type HookProof } from './signature.ts'

/** Tools of one file; each is a label value in our metrics. */
export const HOOKS_MAX = 50
/** Doors of our own; no tool may be called so. */
export const OWN_HOOKS = ['github', 'gitlab', 'argo-cd', 'argo-rollouts', 'kubernetes'] as const

const place = z.string().transform((path, context): JsonPlace => {
  const parsed = parsePlace(path)
  if (parsed !== undefined) return parsed
  context.addIssue({
    code: 'custom',
    message: `is no path such as build.parameters.SERVICE or commits[0].id`,
  })
  return z.NEVER
})
const places = z.union([place.transform((one) => [one]), z.array(place).min(1).max(10)], {
  error: 'must be a path such as build.parameters.SERVICE, or a list of them',
})
const field = z.enum(MAPPED_FIELDS, { error: `must be one of ${MAPPED_FIELDS.join(', ')}` })
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)

const Hook = z.strictObject({
  /** File with the secret, one per line; without it the door asks for a bearer token with the scope `releases`. */
  secretFile: z.string().min(1).optional(),
  proof: z
    .discriminatedUnion('scheme', [
      z.strictObject({
        scheme: z.literal('hmac-sha256'),
        header: z.string().toLowerCase().default('x-hub-signature-256'),
        /** Before the hexadecimal digits. */
        prefix: z.string().default('sha256='),
      }),
      z.strictObject({
        scheme: z.literal('token'),
        header: z.string().toLowerCase().default('x-surety-token'),
      }),
    ])
    .default({ scheme: 'token', header: TOKEN_PROOF.header }),
  idHeader: z.string().toLowerCase().optional(),
  id: places.optional(),
  fields: z.partialRecord(field, places),
  values: z.partialRecord(field, z.record(z.string(), scalar)).default({}),
  constants: z.partialRecord(field, scalar).default({}),
})

const HookFile = z.strictObject({
  hooks: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name is made of lower-case letters, digits and -'),
    Hook,
  ),
})

export type MappedHook = {
  readonly mapping: HookMapping
  readonly proof: HookProof
  readonly secretFile: string | undefined
}

/**
 * @param path  undefined for no mapped webhooks
 * @throws ConfigError naming the file and every place in it that is wrong
 */
export function readHookMappings(path: string | undefined): readonly MappedHook[] {
  if (path === undefined) return []
  const at = `SURETY_RELEASE_HOOKS=${path}`
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ConfigError([`${at}: cannot be read as YAML (${(error as Error).message})`])
  }
  const parsed = HookFile.safeParse(content)
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => `${at}: ${sentence(issue)}`))
  const hooks = Object.entries(parsed.data.hooks)
  const problems = [
    ...(hooks.length > HOOKS_MAX ? [`has ${hooks.length} hooks, at most ${HOOKS_MAX}`] : []),
    ...hooks.flatMap(([name, hook]) => problemsOfHook(name, hook)),
  ]
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${at}: ${problem}`))
  return hooks.map(([name, hook]) => ({
    mapping: {
      name,
      idHeader: hook.idHeader,
      id: hook.id ?? [],
      fields: hook.fields,
      values: hook.values,
      constants: hook.constants,
    },
    proof: hook.proof,
    secretFile: hook.secretFile,
  }))
}

function problemsOfHook(name: string, { fields, values, constants }: z.output<typeof Hook>): string[] {
  const has = (wanted: MappedField) => fields[wanted] !== undefined || constants[wanted] !== undefined
  const words = (wanted: MappedField) => [
    ...Object.entries(values[wanted] ?? {}).map(([word, meaning]) => ({
      where: `values.${wanted}.${word}`,
      meaning,
    })),
    ...(constants[wanted] === undefined
      ? []
      : [{ where: `constants.${wanted}`, meaning: constants[wanted] }]),
  ]
  const at = (where: string, message: string) => `hooks.${name}.${where}: ${message}`
  return [
    ...((OWN_HOOKS as readonly string[]).includes(name)
      ? [`hooks.${name}: is a door of its own; take another name`]
      : []),
    ...(has('kind') ? [] : [at('fields', 'must say where kind stands, or constants what it is')]),
    ...(has('service') || has('target') ? [] : [at('fields', 'must say where service or target stands')]),
    ...words('kind')
      // An empty word: this state is no step.
      .filter(({ meaning }) => meaning !== '' && stepKind(meaning) === undefined)
      .map(({ where }) => at(where, `must be one of ${STEP_KINDS.join(', ')}, or empty for no step`)),
    ...words('changeType')
      .filter(({ meaning }) => changeType(meaning) === undefined)
      .map(({ where }) => at(where, `must be one of ${CHANGE_TYPES.join(', ')}`)),
  ]
}

function sentence(issue: z.core.$ZodIssue): string {
  const message =
    issue.code === 'invalid_key' ? issue.issues.map((inner) => inner.message).join(', ') : issue.message
  const where = issue.path.map(String).join('.')
  return where === '' ? message : `${where}: ${message}`
}
