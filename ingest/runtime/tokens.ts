// Bearer tokens of senders and readers: what the file of tokens says, and whether a presented token is one of them.
// What a token may do at a door is door-guard.ts; who writes the file is the command line.
//
// A token is 32 random bytes. Nobody can guess or enumerate it, so the file holds a plain SHA-256 of it: a slow
// hash (scrypt, argon2) protects passwords that people choose, would cost each request tens of milliseconds and
// protects nothing here. Comparison takes the same time whatever matches, over all tokens.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { Logger } from './logger.ts'
import { openFileWatch } from './watch-files.ts'

/**
 * `ingest`: send telemetry. `releases`: send release events. `read`: API, metrics, readiness. `operate`: what touches the
 * store as a whole or shows what was sent unmasked: backups, the bytes of dead letters and their replay.
 */
export const SCOPES = ['ingest', 'releases', 'read', 'operate'] as const
export type Scope = (typeof SCOPES)[number]

/** Tokens of one file: also the bound of the label `token` in our metrics. */
export const TOKENS_MAX = 500
/** The old one and the new one while a sender changes over. */
export const TOKENS_PER_NAME_MAX = 2
const FILE_BYTES_MAX = 1_048_576

/** Label of requests that needed no token; no token may be called so. */
export const NO_TOKEN = 'none'

const positive = z.number().positive('must be above 0').max(1e12)

export const TokenLimits = z.strictObject({
  /** Requests per second over all doors; one second's worth may come at once. */
  requestsPerSecond: positive.optional(),
  /** Bytes of bodies per second, inflated; one second's worth may come at once. */
  bytesPerSecond: positive.optional(),
  /** Largest body, bytes, inflated. */
  bodyBytesMax: positive.int('must be a whole number').optional(),
})
export type TokenLimits = z.output<typeof TokenLimits>

export const TokenEntry = z.strictObject({
  /** Names the sender, not the secret: two entries share a name while the sender changes from one to the other. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, «.», «_», «-»')
    .refine((name) => name !== NO_TOKEN, `must not be «${NO_TOKEN}»`),
  /** `sha256:` and 64 hexadecimal digits, as hashToken writes it. */
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits'),
  scopes: z.array(z.enum(SCOPES, { error: `must be one of ${SCOPES.join(', ')}` })).min(1),
  /** The first instant at which it is no longer good, RFC 3339 with zone. */
  notAfter: z.iso
    .datetime({ offset: true, error: 'must be RFC 3339 with a zone, such as 2027-01-31T00:00:00Z' })
    .optional(),
  limits: TokenLimits.optional(),
})
export type TokenEntry = z.output<typeof TokenEntry>

export type Token = {
  readonly name: string
  readonly hash: Buffer
  readonly scopes: ReadonlySet<Scope>
  /** ms since 1970; undefined: for ever */
  readonly notAfter: number | undefined
  readonly limits: TokenLimits
}

export type ParsedTokens =
  | { readonly kind: 'tokens'; readonly entries: readonly TokenEntry[] }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

/** A new token as its bearer gets it. The prefix lets scanners for leaked secrets know it. */
export function makeToken(): string {
  return `surety_${randomBytes(32).toString('base64url')}`
}

export function hashToken(text: string): string {
  return `sha256:${digest(text).toString('hex')}`
}

/** The text of a token file: a JSON list. Unknown fields are refused, since a mistyped notAfter would never end. */
export function parseTokens(text: string): ParsedTokens {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return wrong([`is not JSON: ${(error as Error).message}`])
  }
  const parsed = z.array(TokenEntry).max(TOKENS_MAX).safeParse(json)
  if (!parsed.success) {
    return wrong(
      parsed.error.issues.slice(0, 10).map(({ path, message }) => `${placeOf(path, json)}: ${message}`),
    )
  }
  const problems: string[] = []
  for (const [name, entries] of Map.groupBy(parsed.data, (entry) => entry.name)) {
    if (entries.length > TOKENS_PER_NAME_MAX)
      problems.push(`«${name}»: ${entries.length} tokens share this name, at most ${TOKENS_PER_NAME_MAX} may`)
    if (new Set(entries.map(({ limits }) => limitsText(limits))).size > 1)
      problems.push(`«${name}»: tokens that share a name must have the same limits`)
  }
  for (const [hash, entries] of Map.groupBy(parsed.data, (entry) => entry.hash)) {
    if (entries.length > 1)
      problems.push(`«${entries.map(({ name }) => name).join('», «')}»: the same hash ${hash.slice(0, 15)}…`)
  }
  return problems.length > 0 ? wrong(problems) : { kind: 'tokens', entries: parsed.data }
}

const wrong = (problems: readonly string[]): ParsedTokens => ({ kind: 'wrong', problems })

/** `[2] «collector» .scopes[0]`: a place that a person finds in a file of many entries. */
function placeOf(path: readonly PropertyKey[], json: unknown): string {
  const [index, ...rest] = path
  if (typeof index !== 'number') return 'the list'
  const name = (json as readonly { readonly name?: unknown }[])[index]?.name
  const steps = rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return `[${index}]${typeof name === 'string' ? ` «${name.slice(0, 64)}» ` : ''}${steps.join('')}`
}

function limitsText(limits: TokenLimits = {}): string {
  return JSON.stringify([limits.requestsPerSecond, limits.bytesPerSecond, limits.bodyBytesMax])
}

function tokenOf(entry: TokenEntry): Token {
  return {
    name: entry.name,
    hash: Buffer.from(entry.hash.slice('sha256:'.length), 'hex'),
    scopes: new Set(entry.scopes),
    notAfter: entry.notAfter === undefined ? undefined : Date.parse(entry.notAfter),
    limits: entry.limits ?? {},
  }
}

/** The tokens that are good now. */
export interface Tokens {
  /** @param text as presented; @returns undefined when it is none of ours, be it never made or revoked */
  find(text: string): Token | undefined
  /** Called with the names that are left after each change. */
  onChange(listener: (names: ReadonlySet<string>) => void): void
}

export interface ReplaceableTokens extends Tokens {
  replace(next: readonly TokenEntry[]): void
}

/** A set that can be replaced as a whole. */
export function buildTokens(entries: readonly TokenEntry[]): ReplaceableTokens {
  let tokens = entries.map(tokenOf)
  const listeners: ((names: ReadonlySet<string>) => void)[] = []
  return {
    find(text) {
      const presented = digest(text)
      let found: Token | undefined
      for (const token of tokens) if (timingSafeEqual(token.hash, presented)) found = token
      return found
    },
    onChange: (listener) => void listeners.push(listener),
    replace(next) {
      tokens = next.map(tokenOf)
      const names = new Set(tokens.map(({ name }) => name))
      for (const listener of listeners) listener(names)
    },
  }
}

export interface TokenFile extends Tokens {
  /** Looks at the file now instead of at the next poll. */
  check(): Promise<void>
  close(): void
}

/**
 * Reads the file and follows its changes. A change that cannot be read leaves the tokens as they were and says so
 * in one line of the log.
 *
 * @returns problems when the file cannot be read at the start
 */
export async function openTokenFile(
  file: string,
  pollMs: number,
  logger: Logger,
): Promise<TokenFile | { readonly problems: readonly string[] }> {
  const tokens = buildTokens([])
  const watch = await openFileWatch([file], pollMs, logger, async () => {
    const changed = await readTokenFile(file)
    if (changed.kind === 'wrong') {
      logger.error(
        { file, problems: changed.problems },
        'the file of tokens was changed and cannot be used; the tokens before the change stay good',
      )
      return
    }
    tokens.replace(changed.entries)
    logger.info({ file, tokens: changed.entries.length }, 'the file of tokens was changed and is in use')
  })
  const first = await readTokenFile(file)
  if (first.kind === 'wrong') {
    watch.close()
    return first
  }
  tokens.replace(first.entries)
  if (first.entries.length === 0) logger.warn({ file }, 'the file holds no token; every request is refused')
  return {
    find: (text) => tokens.find(text),
    onChange: (listener) => tokens.onChange(listener),
    check: () => watch.check(),
    close: () => watch.close(),
  }
}

export async function readTokenFile(file: string): Promise<ParsedTokens> {
  try {
    const { size, mode } = await stat(file)
    if (size > FILE_BYTES_MAX) return wrong([`is ${size} bytes long; at most ${FILE_BYTES_MAX} are read`])
    if ((mode & 0o002) !== 0)
      return wrong(['may be written by every user of this machine; chmod 0600 mends it'])
    return parseTokens(await readFile(file, 'utf8'))
  } catch (error) {
    return wrong([
      `cannot be read (${(error as Error).message}); «surety token create --name NAME» makes the first token`,
    ])
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
