// What protects the doors of one process, from its configuration: which variables belong together, the guard over
// the file of tokens, TLS over its files. Opened before any door, closed after all of them.

import type { Clock } from './clock.ts'
import { ConfigError } from './config.ts'
import { buildDoorGuard, buildOpenGuard, type DoorGuard } from './door-guard.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { isLoopback, type IsLoopback } from './reach.ts'
import { openTls, type Tls } from './tls.ts'
import { openTokenFile, type TokenFile } from './tokens.ts'

/** The variables that decide who may pass. */
export type AccessConfig = {
  readonly SURETY_HOST: string
  readonly SURETY_ALLOWED_HOSTS: readonly string[]
  readonly SURETY_TOKENS_FILE?: string | undefined
  readonly SURETY_TOKENS_REQUIRED: boolean
  readonly SURETY_TLS_CERT_FILE?: string | undefined
  readonly SURETY_TLS_KEY_FILE?: string | undefined
  readonly SURETY_TLS_CLIENT_CA_FILE?: string | undefined
  readonly SURETY_TLS_TERMINATED: boolean
  readonly SURETY_ACCESS_POLL_MS: number
}

/**
 * What is wrong between variables that are right each for itself.
 * @param config  the fields that could be read; of a wrong one nothing is said here
 */
export function accessProblems(config: Partial<AccessConfig>, reach: IsLoopback = isLoopback): string[] {
  const {
    SURETY_HOST: host,
    SURETY_TLS_CERT_FILE: cert,
    SURETY_TLS_KEY_FILE: key,
    SURETY_TLS_CLIENT_CA_FILE: clientCa,
    SURETY_TOKENS_FILE: tokens,
  } = config
  const problems: string[] = []
  if (host !== undefined && !reach(host)) {
    const missing = [
      tokens === undefined
        ? 'SURETY_TOKENS_FILE (senders and readers then need a token; «surety token create --name NAME» makes one)'
        : undefined,
      cert === undefined && config.SURETY_TLS_TERMINATED !== true
        ? 'SURETY_TLS_CERT_FILE and SURETY_TLS_KEY_FILE, or SURETY_TLS_TERMINATED=1 when a proxy in front ends TLS'
        : undefined,
      config.SURETY_ALLOWED_HOSTS?.length === 0
        ? 'SURETY_ALLOWED_HOSTS (the host names that senders and browsers call it by, without port)'
        : undefined,
    ].filter((line) => line !== undefined)
    if (missing.length > 0)
      problems.push(
        `SURETY_HOST=${JSON.stringify(host)}: must be a loopback address (127.0.0.1, ::1, localhost), since others may reach this one; to let them, set ${missing.join('; and ')}`,
      )
  }
  if (config.SURETY_TOKENS_REQUIRED === true && tokens === undefined && (host === undefined || reach(host)))
    problems.push('SURETY_TOKENS_REQUIRED=1: needs SURETY_TOKENS_FILE, which says the tokens')
  if (cert !== undefined && key === undefined)
    problems.push('SURETY_TLS_CERT_FILE: needs SURETY_TLS_KEY_FILE, its private key')
  if (key !== undefined && cert === undefined)
    problems.push('SURETY_TLS_KEY_FILE: needs SURETY_TLS_CERT_FILE, its certificate')
  if (clientCa !== undefined && cert === undefined)
    problems.push(
      'SURETY_TLS_CLIENT_CA_FILE: needs SURETY_TLS_CERT_FILE; without TLS no client shows a certificate',
    )
  if (cert !== undefined && host === 'localhost')
    problems.push(
      'SURETY_HOST="localhost": with TLS name one address, 127.0.0.1 or ::1; a renewed certificate reaches one alone',
    )
  return problems
}

/** Whether requests need a token: always when others may reach us, else when it is asked for. */
export function needsTokens(
  config: Pick<AccessConfig, 'SURETY_HOST' | 'SURETY_TOKENS_REQUIRED'>,
  reach: IsLoopback = isLoopback,
): boolean {
  return config.SURETY_TOKENS_REQUIRED || !reach(config.SURETY_HOST)
}

export type OpenAccess = {
  readonly guard: DoorGuard
  /** undefined: plain HTTP */
  readonly tls: Tls | undefined
  /** Looks at the files now instead of at the next poll. */
  check(): Promise<void>
  close(): void
}

export type AccessParts = {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly isLoopback?: IsLoopback
}

/** @throws ConfigError with every problem of the configuration and the files it names */
export async function openAccess(config: AccessConfig, parts: AccessParts): Promise<OpenAccess> {
  const { clock, logger, metrics } = parts
  // Said again here: nothing may listen beyond loopback because a caller forgot to ask.
  const problems = accessProblems(config, parts.isLoopback)
  if (problems.length > 0) throw new ConfigError(problems)
  const pollMs = config.SURETY_ACCESS_POLL_MS
  const {
    SURETY_TOKENS_FILE: tokensFile,
    SURETY_TLS_CERT_FILE: certFile,
    SURETY_TLS_KEY_FILE: keyFile,
  } = config

  const opened: { close(): void; check(): Promise<void> }[] = []
  let tokens: TokenFile | undefined
  let tls: Tls | undefined
  if (needsTokens(config, parts.isLoopback) && tokensFile !== undefined) {
    const file = await openTokenFile(tokensFile, pollMs, logger)
    if ('problems' in file)
      problems.push(
        ...file.problems.map((line) => `SURETY_TOKENS_FILE=${JSON.stringify(tokensFile)}: ${line}`),
      )
    else opened.push((tokens = file))
  } else if (tokensFile !== undefined) {
    logger.warn(
      'SURETY_TOKENS_FILE is set, but on loopback no token is asked for without SURETY_TOKENS_REQUIRED=1',
    )
  }
  if (certFile !== undefined && keyFile !== undefined) {
    const files = { certFile, keyFile, clientCaFile: config.SURETY_TLS_CLIENT_CA_FILE }
    const secured = await openTls(files, { pollMs, clock, logger, metrics })
    if ('problems' in secured) problems.push(...secured.problems)
    else opened.push((tls = secured))
  }
  const close = () => opened.forEach((part) => part.close())
  if (problems.length > 0) {
    close()
    throw new ConfigError(problems)
  }
  return {
    guard: tokens === undefined ? buildOpenGuard(metrics) : buildDoorGuard({ tokens, clock, metrics }),
    tls,
    check: async () => void (await Promise.all(opened.map((part) => part.check()))),
    close,
  }
}
