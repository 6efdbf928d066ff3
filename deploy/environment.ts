// Which roles a command runs, and their configuration read as one: every problem of every role at once.

import type { z } from 'zod'
import { doorlessProblems, IngestConfig, ingestProblems } from '../ingest/config.ts'
import { ConfigError, readConfig, type Environment } from '../ingest/runtime/config.ts'
import type { IsLoopback } from '../ingest/runtime/reach.ts'
import { AlertsConfig } from '../alerts/config.ts'
import { QueryConfig } from '../query/config.ts'
import { CLIENT_VARIABLES } from './api-client.ts'
import { DEMO_VARIABLES } from './demo/config.ts'

export const ROLES = ['ingest', 'query', 'alerts'] as const
export type Role = (typeof ROLES)[number]

/** What all roles of one process read: their schemas extend one another. */
const ServeConfig = IngestConfig.extend(AlertsConfig.shape)
export type ServeConfig = Readonly<z.output<typeof ServeConfig>>

const SCHEMAS = { ingest: IngestConfig, query: QueryConfig, alerts: AlertsConfig } as const

/** Every SURETY_ variable that any role knows, so that one role does not refuse another's. */
export const KNOWN_VARIABLES: readonly string[] = [
  ...new Set([
    ...ROLES.flatMap((role) => Object.keys(SCHEMAS[role].shape)),
    ...DEMO_VARIABLES,
    ...CLIENT_VARIABLES,
  ]),
]

/** @throws ConfigError naming the words that are no roles */
export function parseRoles(text: string | undefined): Role[] {
  const words = (text ?? ROLES.join(',')).split(',').map((word) => word.trim())
  const problems = words.flatMap((word) => {
    if ((ROLES as readonly string[]).includes(word)) return []
    return [`--roles: «${word}» is no role; there are ${ROLES.join(', ')}`]
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return ROLES.filter((role) => words.includes(role))
}

/**
 * The configuration of the given roles.
 * @throws ConfigError with every problem
 */
export function readEnvironment(roles: readonly Role[], env: Environment, reach?: IsLoopback): ServeConfig {
  // A process without a role still gets that role's defaults, but none of its variables is judged.
  const own = roles.flatMap((role) => Object.keys(SCHEMAS[role].shape))
  return readConfig(ServeConfig, omitForeign(env, own), KNOWN_VARIABLES, (values) => [
    ...ingestProblems(values, reach),
    ...(roles.includes('ingest') ? [] : doorlessProblems(values)),
  ])
}

function omitForeign(env: Environment, own: readonly string[]): Environment {
  const foreign = Object.keys(ServeConfig.shape).filter((name) => !own.includes(name))
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.includes(name)))
}
