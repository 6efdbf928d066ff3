import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { IngestConfig, ingestProblems } from './config.ts'
import { ConfigError, readConfig } from './runtime/config.ts'
import { storeTarget } from './store-target.ts'

const read = (env: Readonly<Record<string, string>>) =>
  readConfig(IngestConfig, env, undefined, ingestProblems)
const problems = (env: Readonly<Record<string, string>>): readonly string[] => {
  try {
    read(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
const URL_VARIABLE = 'SURETY_CLICKHOUSE_URL'
const ONE = { [URL_VARIABLE]: 'https://clickhouse.bank.example:8443' }

describe('the address', () => {
  test.each([
    { name: 'of one server', url: 'http://127.0.0.1:8123/', want: ['http://127.0.0.1:8123'] },
    { name: 'by IPv6', url: 'https://[::1]:8443', want: ['https://[::1]:8443'] },
  ])('$name is accepted', ({ url, want }) => {
    expect(storeTarget(read({ [URL_VARIABLE]: url }))?.urls).toEqual(want)
  })

  test('of none is the embedded engine', () => {
    expect(storeTarget(read({}))).toBeUndefined()
    expect(storeTarget(read({ [URL_VARIABLE]: '' }))).toBeUndefined()
  })

  test.each([
    { name: 'no URL', url: 'clickhouse', want: 'must be URLs' },
    { name: 'the native protocol', url: 'tcp://clickhouse:9000', want: 'must begin with https://' },
    { name: 'a database', url: 'http://clickhouse:8123/surety', want: 'must end after host and port' },
    {
      name: 'a setting',
      url: 'http://clickhouse:8123/?async_insert=1',
      want: 'must end after host and port',
    },
    {
      name: 'several without a cluster',
      url: 'http://a:8123,http://b:8123',
      want: 'only with SURETY_CLICKHOUSE_CLUSTER',
    },
  ])('with $name is refused', ({ url, want }) => {
    expect(problems({ [URL_VARIABLE]: url })).toEqual([expect.stringContaining(want) as string])
  })

  test('with a password is refused, and the password is not repeated', () => {
    const [problem = '', ...others] = problems({ [URL_VARIABLE]: 'https://me:s3cret@clickhouse:8443' })
    expect(others).toEqual([])
    expect(problem).toContain('SURETY_CLICKHOUSE_PASSWORD_FILE')
    expect(problem).not.toContain('s3cret')
  })
})

test.each([
  {
    env: { SURETY_CLICKHOUSE_CLUSTER: 'bank' },
    want: 'SURETY_CLICKHOUSE_CLUSTER: only with SURETY_CLICKHOUSE_URL',
  },
  {
    env: { SURETY_CLICKHOUSE_PASSWORD: 'x' },
    want: 'SURETY_CLICKHOUSE_PASSWORD: only with SURETY_CLICKHOUSE_URL',
  },
  {
    env: { ...ONE, SURETY_CLICKHOUSE_PASSWORD: 'x', SURETY_CLICKHOUSE_PASSWORD_FILE: 'y' },
    want: 'set one of them',
  },
  { env: { ...ONE, SURETY_CLICKHOUSE_INSERT_QUORUM: '2' }, want: 'only with SURETY_CLICKHOUSE_CLUSTER' },
  {
    env: { ...ONE, SURETY_CLICKHOUSE_CLUSTER: 'bank', SURETY_CLICKHOUSE_INSERT_QUORUM: 'most' },
    want: 'must be auto, or a number',
  },
  { env: { ...ONE, SURETY_CLICKHOUSE_DATABASE: 'a b' }, want: 'must be a name of letters' },
  {
    env: { [URL_VARIABLE]: 'http://c:8123', SURETY_CLICKHOUSE_CA_FILE: 'ca.pem' },
    want: 'only with https://',
  },
  { env: { ...ONE, SURETY_STORE_BYTES_MAX: '1000000' }, want: 'not with SURETY_CLICKHOUSE_URL' },
  { env: { CLICKHOUSE_URL: 'http://c:8123' }, want: 'SURETY_CLICKHOUSE_URL' },
])('$env is refused: $want', ({ env, want }) => {
  expect(problems(env as Record<string, string>)).toEqual([expect.stringContaining(want) as string])
})

test('a password that is wrong for other reasons is never repeated', () => {
  const found = problems({ SURETY_CLICKHOUSE_PASSWORD: 's3cret', SURETY_HTTP_PORT: 'x' })
  expect(found.join('\n')).not.toContain('s3cret')
})

test('password and CA come from files, the password without the end of its line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-target-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const passwordFile = join(folder, 'password')
  const caFile = join(folder, 'ca.pem')
  writeFileSync(passwordFile, ' s3cret \n')
  writeFileSync(caFile, 'PEM')
  const files = { SURETY_CLICKHOUSE_PASSWORD_FILE: passwordFile, SURETY_CLICKHOUSE_CA_FILE: caFile }
  const cluster = { SURETY_CLICKHOUSE_CLUSTER: 'bank', SURETY_CLICKHOUSE_INSERT_QUORUM: 'auto' }
  expect(storeTarget(read({ ...ONE, ...files, ...cluster, SURETY_CLICKHOUSE_USER: 'surety' }))).toEqual({
    urls: ['https://clickhouse.bank.example:8443'],
    user: 'surety',
    password: ' s3cret ',
    ca: 'PEM',
    database: 'surety',
    cluster: { name: 'bank', database: 'surety', insertQuorum: 'auto' },
  })
  const missing = { ...ONE, SURETY_CLICKHOUSE_PASSWORD_FILE: join(folder, 'none') }
  expect(() => storeTarget(read(missing))).toThrow('SURETY_CLICKHOUSE_PASSWORD_FILE')
})
