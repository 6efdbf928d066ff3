// Which ClickHouse server the configuration names: the variables, what is wrong between them, and the target made of them.
// A password never stands in a URL, so that it is never in a log, a list of processes or an error.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './runtime/config.ts'
import type { ServerTarget } from './store/store.ts'

const NAME = /^[A-Za-z_]\w{0,63}$/
const QUORUM = /^(?:auto|[2-9]|[1-9]\d)$/

/** What is wrong with one address of a server, in words that do not repeat it. */
function urlProblem(text: string): string | undefined {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return 'must be URLs, https://host:8443 or http://host:8123, comma-separated'
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not hold a user or password; use SURETY_CLICKHOUSE_USER and SURETY_CLICKHOUSE_PASSWORD_FILE'
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return 'must begin with https:// or http://, and name the HTTP port (8443 or 8123), not the native one'
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return 'must end after host and port; the database is SURETY_CLICKHOUSE_DATABASE'
  }
  return undefined
}

const urls = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .superRefine((parts, context) => {
    for (const message of new Set(parts.map(urlProblem))) {
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    }
  })
  .transform((parts) => parts.map((part) => new URL(part).origin))

export const STORE_TARGET_VARIABLES = {
  /** A ClickHouse server's HTTP address, or those of a cluster's hosts, comma-separated; unset: the embedded engine. */
  SURETY_CLICKHOUSE_URL: urls.optional(),
  /** Database of the public names; a cluster also gets NAME_local. «surety migrate» makes it. */
  SURETY_CLICKHOUSE_DATABASE: z
    .string()
    .regex(NAME, 'must be a name of letters, digits and _, 64 at most')
    .default('surety'),
  SURETY_CLICKHOUSE_USER: z
    .string()
    .regex(/^[^:]+$/, 'must not hold a colon')
    .default('default'),
  SURETY_CLICKHOUSE_PASSWORD: z.string().optional(),
  /** File with the password; read at start. */
  SURETY_CLICKHOUSE_PASSWORD_FILE: z.string().min(1).optional(),
  /** CA that signed the server's certificate, PEM; the system's when unset. */
  SURETY_CLICKHOUSE_CA_FILE: z.string().min(1).optional(),
  /** Name of a cluster in the server's remote_servers; unset: a single server. */
  SURETY_CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[\w.-]{1,128}$/, 'must be a name as in the server’s remote_servers')
    .optional(),
  /** Copies that have a row before it is acknowledged: `auto`, the majority, or a number; unset: one copy. */
  SURETY_CLICKHOUSE_INSERT_QUORUM: z
    .string()
    .regex(QUORUM, 'must be auto, or a number from 2 to 99')
    .transform((text) => (text === 'auto' ? text : Number(text)))
    .optional(),
} as const

const Shape = z.object(STORE_TARGET_VARIABLES)
type Variables = z.output<typeof Shape>

/** What is wrong between the variables. */
export function storeTargetProblems(
  config: Partial<Variables> & { readonly SURETY_STORE_BYTES_MAX?: number },
): string[] {
  const {
    SURETY_CLICKHOUSE_URL: given,
    SURETY_CLICKHOUSE_CLUSTER: cluster,
    SURETY_CLICKHOUSE_INSERT_QUORUM: quorum,
    SURETY_CLICKHOUSE_CA_FILE: ca,
  } = config
  const problems: string[] = []
  const isServer = given !== undefined && given.length > 0
  if (!isServer) {
    const needing = [
      'SURETY_CLICKHOUSE_PASSWORD',
      'SURETY_CLICKHOUSE_PASSWORD_FILE',
      'SURETY_CLICKHOUSE_CA_FILE',
      'SURETY_CLICKHOUSE_CLUSTER',
      'SURETY_CLICKHOUSE_INSERT_QUORUM',
    ] as const
    for (const name of needing) {
      if (config[name] !== undefined) problems.push(`${name}: only with SURETY_CLICKHOUSE_URL`)
    }
    return problems
  }
  if (
    config.SURETY_CLICKHOUSE_PASSWORD !== undefined &&
    config.SURETY_CLICKHOUSE_PASSWORD_FILE !== undefined
  ) {
    problems.push('SURETY_CLICKHOUSE_PASSWORD and SURETY_CLICKHOUSE_PASSWORD_FILE: set one of them')
  }
  if (given.length > 1 && cluster === undefined) {
    problems.push('SURETY_CLICKHOUSE_URL: several addresses only with SURETY_CLICKHOUSE_CLUSTER')
  }
  if (new Set(given.map((url) => new URL(url).protocol)).size > 1) {
    problems.push('SURETY_CLICKHOUSE_URL: all of http:// or all of https://')
  }
  if (quorum !== undefined && cluster === undefined) {
    problems.push('SURETY_CLICKHOUSE_INSERT_QUORUM: only with SURETY_CLICKHOUSE_CLUSTER')
  }
  if (ca !== undefined && given.some((url) => url.startsWith('http:'))) {
    problems.push('SURETY_CLICKHOUSE_CA_FILE: only with https://')
  }
  if ((config.SURETY_STORE_BYTES_MAX ?? 0) > 0) {
    problems.push(
      'SURETY_STORE_BYTES_MAX: not with SURETY_CLICKHOUSE_URL; the disk of a server is bounded there (storage policies, SURETY_RETENTION_…_DAYS)',
    )
  }
  return problems
}

/**
 * @returns undefined for the embedded engine
 * @throws ConfigError when a file cannot be read
 */
export function storeTarget(config: Variables): ServerTarget | undefined {
  const { SURETY_CLICKHOUSE_URL: given, SURETY_CLICKHOUSE_DATABASE: database } = config
  if (given === undefined || given.length === 0) return undefined
  const password =
    config.SURETY_CLICKHOUSE_PASSWORD ??
    readText('SURETY_CLICKHOUSE_PASSWORD_FILE', config.SURETY_CLICKHOUSE_PASSWORD_FILE)?.replace(/\r?\n$/, '')
  const name = config.SURETY_CLICKHOUSE_CLUSTER
  const insertQuorum = config.SURETY_CLICKHOUSE_INSERT_QUORUM
  return {
    urls: given,
    user: config.SURETY_CLICKHOUSE_USER,
    password: password ?? '',
    ca: readText('SURETY_CLICKHOUSE_CA_FILE', config.SURETY_CLICKHOUSE_CA_FILE),
    database,
    cluster: name === undefined ? undefined : { name, database, insertQuorum },
  }
}

function readText(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${name}=${path}: cannot be read (${(error as Error).message})`])
  }
}
