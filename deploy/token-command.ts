// `surety token create | list | revoke`: writes the file of tokens that the doors read. It reads no other part of
// the configuration, so tokens can be made before Surety is set up, and on another machine.

import { constants } from 'node:fs'
import { open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises'
import { ConfigError } from '../ingest/runtime/config.ts'
import {
  hashToken,
  makeToken,
  parseTokens,
  SCOPES,
  TokenEntry,
  TOKENS_PER_NAME_MAX,
  type Scope,
} from '../ingest/runtime/tokens.ts'

export const TOKEN_OPTIONS = {
  file: { type: 'string' },
  name: { type: 'string' },
  scopes: { type: 'string' },
  'not-after': { type: 'string' },
  'requests-per-second': { type: 'string' },
  'bytes-per-second': { type: 'string' },
  'body-bytes-max': { type: 'string' },
  'keep-newest': { type: 'boolean' },
} as const

export const TOKEN_HELP = `surety token create --name NAME [--scopes ingest,releases,read,operate] [--not-after DATE]
                    [--requests-per-second N] [--bytes-per-second N] [--body-bytes-max N]
surety token list
surety token revoke --name NAME [--keep-newest]

Keeps the tokens in SURETY_TOKENS_FILE, or in --file PATH, as hashes, readable by the file's owner alone: run
it as the user that Surety runs as. «create» prints the new token on standard
output, this once. Scopes: ingest (OTLP, the default), releases (release events), read (API, metrics, readiness).
DATE is RFC 3339, or 2027-01-31 for the end of that day in UTC.

To change a token, «create» a second one of the same name, which takes over scopes, end and limits unless they
are given; give it to the sender; then «revoke --keep-newest». Surety reads the file again when it changes.`

type Values = Readonly<Record<string, string | boolean | undefined>>

/** @throws ConfigError for what a person mistyped, and for a file that cannot be used */
export async function tokenCommand(values: Values, words: readonly string[]): Promise<number> {
  const [verb, ...more] = words
  const file = text(values, 'file') ?? process.env['SURETY_TOKENS_FILE'] ?? ''
  if (more.length > 0 || (verb !== 'create' && verb !== 'list' && verb !== 'revoke'))
    throw new TokenError(`«${words.join(' ')}»: say create, list or revoke`)
  if (file === '')
    throw new TokenError('SURETY_TOKENS_FILE: set it, or say --file PATH: where the tokens are kept')
  switch (verb) {
    case 'create':
      return createToken(file, values)
    case 'list':
      return listTokens(file)
    case 'revoke':
      return revokeToken(file, values)
    default:
      return verb satisfies never
  }
}

class TokenError extends ConfigError {
  constructor(problem: string) {
    super([problem])
    this.message = problem
  }
}

async function createToken(file: string, values: Values): Promise<number> {
  const name = nameOf(values)
  const token = makeToken()
  const before = await changeFile(file, (entries) => {
    const namesakes = entries.filter((entry) => entry.name === name)
    if (namesakes.length >= TOKENS_PER_NAME_MAX)
      throw new TokenError(
        `--name ${name}: has ${namesakes.length} tokens; «surety token revoke --name ${name} --keep-newest» first`,
      )
    return [...entries, newEntry(name, hashToken(token), namesakes.at(-1), values)]
  })
  process.stderr.write(`This is the token «${name}». It is kept as a hash in ${file} and shown only now:\n`)
  process.stdout.write(`${token}\n`)
  if (before.some((entry) => entry.name === name))
    process.stderr.write(
      `The earlier one is still good; end it with «surety token revoke --name ${name} --keep-newest».\n`,
    )
  return 0
}

function newEntry(name: string, hash: string, older: TokenEntry | undefined, values: Values): TokenEntry {
  const notAfter = endOf(values) ?? older?.notAfter
  const given = {
    requestsPerSecond: figure(values, 'requests-per-second'),
    bytesPerSecond: figure(values, 'bytes-per-second'),
    bodyBytesMax: figure(values, 'body-bytes-max'),
  }
  const limits = Object.fromEntries(
    Object.entries({ ...older?.limits, ...withoutUndefined(given) }).filter(
      ([, value]) => value !== undefined,
    ),
  )
  const scopes = text(values, 'scopes')
    ?.split(',')
    .map((word) => word.trim()) ??
    older?.scopes ?? ['ingest']
  const parsed = TokenEntry.safeParse({
    name,
    hash,
    scopes: scopes.filter((word) => word !== '') as Scope[],
    ...(notAfter === undefined ? {} : { notAfter }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  })
  if (parsed.success) return parsed.data
  throw new TokenError(
    parsed.error.issues
      .map(
        ({ path, message }) =>
          `${path.map((step) => OPTION_OF[String(step)]).findLast((option) => option !== undefined) ?? '--name'}: ${message}`,
      )
      .join('\n'),
  )
}

const OPTION_OF: Readonly<Record<string, string>> = {
  name: '--name',
  scopes: `--scopes (of ${SCOPES.join(',')})`,
  notAfter: '--not-after',
  requestsPerSecond: '--requests-per-second',
  bytesPerSecond: '--bytes-per-second',
  bodyBytesMax: '--body-bytes-max',
}

async function listTokens(file: string): Promise<number> {
  const entries = await readEntries(file)
  const rows = entries.map(({ name, hash, scopes, notAfter, limits }) => [
    name,
    hash.slice('sha256:'.length, 'sha256:'.length + 8),
    scopes.join(','),
    notAfter === undefined ? '-' : `${notAfter}${Date.parse(notAfter) <= Date.now() ? ' (ended)' : ''}`,
    Object.entries(limits ?? {})
      .map(([limit, value]) => `${limit}=${value}`)
      .join(' ') || '-',
  ])
  const table = [['NAME', 'HASH', 'SCOPES', 'NOT AFTER', 'LIMITS'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  return 0
}

async function revokeToken(file: string, values: Values): Promise<number> {
  const name = nameOf(values)
  const keepsNewest = values['keep-newest'] === true
  let revoked = 0
  await changeFile(file, (entries) => {
    const namesakes = entries.filter((entry) => entry.name === name)
    const gone = keepsNewest ? namesakes.slice(0, -1) : namesakes
    revoked = gone.length
    if (namesakes.length === 0)
      throw new TokenError(`--name ${name}: there is no token of this name in ${file}`)
    return entries.filter((entry) => !gone.includes(entry))
  })
  console.log(
    `${revoked} ${revoked === 1 ? 'token' : 'tokens'} of «${name}» revoked; a running Surety follows at its next look at the file`,
  )
  return 0
}

/**
 * Replaces the file in one step, readable by its owner alone. The new file is also the lock: two commands at a time
 * would lose one another's change.
 * @returns the entries before
 */
async function changeFile(
  file: string,
  change: (entries: readonly TokenEntry[]) => readonly TokenEntry[],
): Promise<readonly TokenEntry[]> {
  const target = await realpath(file).catch(() => file)
  const draft = `${target}.new`
  const handle = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch(
    (error: NodeJS.ErrnoException) => {
      throw new TokenError(
        error.code === 'EEXIST'
          ? `${draft} exists: another «surety token» is writing, or one was interrupted; then remove it`
          : `SURETY_TOKENS_FILE=${JSON.stringify(file)}: cannot be written (${error.message})`,
      )
    },
  )
  try {
    const before = await readEntries(target, true)
    const after = `${JSON.stringify(change(before), undefined, 2)}\n`
    const parsed = parseTokens(after)
    if (parsed.kind === 'wrong') throw new TokenError(parsed.problems.join('\n'))
    await handle.writeFile(after)
    // Made by root for a Surety that runs as somebody else, it must stay readable to that one.
    const owner = await stat(target).catch(() => undefined)
    if (owner !== undefined && owner.uid !== process.getuid?.()) await handle.chown(owner.uid, owner.gid)
    await handle.sync()
    await handle.close()
    await rename(draft, target)
    return before
  } catch (error) {
    await handle.close()
    await unlink(draft)
    throw error
  }
}

async function readEntries(file: string, mayBeMissing = false): Promise<readonly TokenEntry[]> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new TokenError(
      `SURETY_TOKENS_FILE=${JSON.stringify(file)}: cannot be read (${(error as Error).message})`,
    )
  }
  const parsed = parseTokens(content)
  if (parsed.kind === 'tokens') return parsed.entries
  throw new TokenError(
    parsed.problems.map((line) => `SURETY_TOKENS_FILE=${JSON.stringify(file)}: ${line}`).join('\n'),
  )
}

function text(values: Values, option: string): string | undefined {
  const value = values[option]
  return typeof value === 'string' ? value : undefined
}

function nameOf(values: Values): string {
  const name = text(values, 'name')
  if (name === undefined || name === '') throw new TokenError('--name: say whose token it is')
  return name
}

function figure(values: Values, option: string): number | undefined {
  const given = text(values, option)
  if (given === undefined) return undefined
  if (!/^\d+(\.\d+)?$/.test(given)) throw new TokenError(`--${option} ${given}: must be a number above 0`)
  return Number(given)
}

function endOf(values: Values): string | undefined {
  const given = text(values, 'not-after')
  if (given === undefined) return undefined
  const isDay = /^\d{4}-\d\d-\d\d$/.test(given)
  const instant = isDay ? `${given}T23:59:59Z` : given
  const at = Date.parse(instant)
  if (Number.isNaN(at) || (!isDay && !/T.*(Z|[+-]\d\d:\d\d)$/.test(given)))
    throw new TokenError(`--not-after ${given}: must be a day, 2027-01-31, or RFC 3339 with a zone`)
  if (at <= Date.now())
    throw new TokenError(`--not-after ${given}: is past; such a token would be good for nothing`)
  return instant
}

function withoutUndefined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}
