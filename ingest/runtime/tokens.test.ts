import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { Logger } from './logger.ts'
import {
  buildTokens,
  hashToken,
  makeToken,
  openTokenFile,
  parseTokens,
  readTokenFile,
  TOKENS_MAX,
  type TokenEntry,
  type TokenFile,
} from './tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-tokens-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const entry = (name: string, more: Partial<TokenEntry> = {}): TokenEntry => ({
  name,
  hash: hashToken(makeToken()),
  scopes: ['ingest'],
  ...more,
})

function problems(entries: unknown): readonly string[] {
  const parsed = parseTokens(JSON.stringify(entries))
  return parsed.kind === 'wrong' ? parsed.problems : []
}

test('a token is 32 random bytes behind a prefix, and its hash tells nothing of it', () => {
  const token = makeToken()
  expect(token).toMatch(/^surety_[A-Za-z0-9_-]{43}$/)
  expect(makeToken()).not.toBe(token)
  expect(hashToken(token)).toMatch(/^sha256:[0-9a-f]{64}$/)
})

describe('a file of tokens', () => {
  test('with every field', () => {
    const entries = [
      entry('collector', {
        scopes: ['ingest', 'read'],
        notAfter: '2027-01-31T00:00:00+08:00',
        limits: { requestsPerSecond: 0.5, bytesPerSecond: 1e6, bodyBytesMax: 4_194_304 },
      }),
      entry('ci'),
    ]
    expect(parseTokens(JSON.stringify(entries))).toEqual({ kind: 'tokens', entries })
  })

  test.each([
    { name: 'not a list', entries: {}, want: [/^the list: /] },
    {
      name: 'a mistyped field, which would otherwise be good for ever',
      entries: [{ ...entry('ci'), notAfterr: '2027-01-31T00:00:00Z' }],
      want: [/^\[0\] «ci» : Unrecognized key: "notAfterr"/],
    },
    {
      name: 'a scope that does not exist',
      entries: [{ ...entry('ci'), scopes: ['write'] }],
      want: [/^\[0\] «ci» \.scopes\[0\]: must be one of ingest, releases, read/],
    },
    { name: 'no scope', entries: [entry('ci', { scopes: [] })], want: [/scopes/] },
    {
      name: 'an end without a zone',
      entries: [entry('ci', { notAfter: '2027-01-31T00:00:00' })],
      want: [/notAfter: must be RFC 3339/],
    },
    {
      name: 'a token instead of its hash',
      entries: [entry('ci', { hash: makeToken() })],
      want: [/hash: must be sha256/],
    },
    { name: 'a name with a line break', entries: [entry('a\nb')], want: [/name: must be 1 to 64/] },
    { name: 'the name of requests without token', entries: [entry('none')], want: [/must not be «none»/] },
    {
      name: 'a limit of nothing',
      entries: [entry('ci', { limits: { requestsPerSecond: 0 } })],
      want: [/limits\.requestsPerSecond: must be above 0/],
    },
    {
      name: 'three of one name',
      entries: [entry('ci'), entry('ci'), entry('ci')],
      want: [/«ci»: 3 tokens share this name, at most 2/],
    },
    {
      name: 'two of one name with limits of their own',
      entries: [entry('ci'), entry('ci', { limits: { requestsPerSecond: 1 } })],
      want: [/«ci»: .* must have the same limits/],
    },
    {
      name: 'one token under two names',
      entries: [entry('a', { hash: hashToken('t') }), entry('b', { hash: hashToken('t') })],
      want: [/«a», «b»: the same hash/],
    },
    {
      name: 'more than the bound',
      entries: Array.from({ length: TOKENS_MAX + 1 }, (_, index) => entry(`n${index}`)),
      want: [/^the list: /],
    },
  ])('$name', ({ entries, want }) => {
    const found = problems(entries)
    expect(found).toHaveLength(want.length)
    found.forEach((line, index) => expect(line).toMatch(want[index] ?? /^$/))
  })

  test('that is no JSON, or not there, or open to everybody', async () => {
    expect(parseTokens('[{')).toMatchObject({
      kind: 'wrong',
      problems: [expect.stringMatching(/^is not JSON/)],
    })
    expect(await readTokenFile(join(folder, 'absent.json'))).toMatchObject({
      problems: [expect.stringMatching(/cannot be read .*«surety token create --name NAME»/)],
    })
    const open = join(folder, 'open.json')
    writeFileSync(open, '[]')
    chmodSync(open, 0o666)
    expect(await readTokenFile(open)).toMatchObject({
      problems: [expect.stringMatching(/may be written by every user .* chmod 0600/)],
    })
  })
})

test('a token is found by its text alone, and both of one name while it changes', () => {
  const [old, fresh] = [makeToken(), makeToken()]
  const oldEntry = entry('ci', { hash: hashToken(old) })
  const newEntry = entry('ci', { hash: hashToken(fresh) })
  const tokens = buildTokens([oldEntry, newEntry, entry('other')])
  expect(tokens.find(old)?.name).toBe('ci')
  expect(tokens.find(fresh)?.name).toBe('ci')
  expect(tokens.find('ci')).toBeUndefined()
  expect(tokens.find(oldEntry.hash)).toBeUndefined()
  expect(tokens.find('')).toBeUndefined()
  tokens.replace([newEntry])
  expect(tokens.find(old)).toBeUndefined()
  expect(tokens.find(fresh)?.name).toBe('ci')
})

describe('a file that changes', () => {
  async function setUp() {
    const file = join(folder, `${crypto.randomUUID()}.json`)
    const error = vi.fn()
    const logger = { error, warn: vi.fn(), info: vi.fn() } as unknown as Logger
    const [first, second] = [makeToken(), makeToken()]
    writeFileSync(file, JSON.stringify([entry('ci', { hash: hashToken(first) })]))
    const tokens = (await openTokenFile(file, 3_600_000, logger)) as TokenFile
    return { file, error, tokens, first, second }
  }

  test('is read again, and listeners hear the names that are left', async () => {
    const { file, tokens, first, second } = await setUp()
    const names = vi.fn()
    tokens.onChange(names)
    await tokens.check()
    expect(names).not.toHaveBeenCalled()
    const draft = `${file}.new`
    writeFileSync(draft, JSON.stringify([entry('cd', { hash: hashToken(second) })]))
    renameSync(draft, file)
    await tokens.check()
    expect(tokens.find(first)).toBeUndefined()
    expect(tokens.find(second)?.name).toBe('cd')
    expect(names.mock.calls).toEqual([[new Set(['cd'])]])
    tokens.close()
  })

  test('into something broken keeps the old tokens, says so once, and heals by itself', async () => {
    const { file, error, tokens, first, second } = await setUp()
    writeFileSync(file, '[{"name": "ci"')
    await tokens.check()
    await tokens.check()
    expect(tokens.find(first)?.name).toBe('ci')
    expect(error).toHaveBeenCalledTimes(1)
    expect(error.mock.calls[0]?.[1]).toMatch(/the tokens before the change stay good/)
    rmSync(file)
    await tokens.check()
    expect(tokens.find(first)?.name).toBe('ci')
    expect(error).toHaveBeenCalledTimes(2)
    writeFileSync(file, JSON.stringify([entry('ci', { hash: hashToken(second) })]))
    await tokens.check()
    expect(tokens.find(first)).toBeUndefined()
    expect(tokens.find(second)?.name).toBe('ci')
    tokens.close()
  })
})
