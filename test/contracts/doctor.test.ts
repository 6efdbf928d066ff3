// `surety doctor` on a healthy machine, beside a running Surety, and on what is commonly broken.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { openTestStore } from '../support/empty-data.ts'
import { makeCertificate } from '../support/certificates.ts'
import { startSurety } from '../support/surety.ts'
import { spawnSurety } from '../support/surety-process.ts'

const root = mkdtempSync(join(tmpdir(), 'surety-doctor-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

type Report = {
  readonly state: string
  readonly findings: readonly { check: string; state: string; text: string; remedy?: string }[]
}

async function doctor(env: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await spawnSurety(['doctor', '--json'], env).ended
  expect(stderr).toBe('')
  const report = JSON.parse(stdout) as Report
  const of = (check: string) => report.findings.filter((finding) => finding.check === check)
  for (const { state, remedy } of report.findings) expect(remedy === undefined).toBe(state === 'ok')
  return { code, report, of }
}

test('before the first start all is well, and nothing is made', async () => {
  const dataDir = join(root, 'absent')
  const { code, report, of } = await doctor({ SURETY_DATA_DIR: dataDir })
  expect(of('store')).toMatchObject([{ state: 'ok', text: expect.stringMatching(/^none yet/) as string }])
  expect(of('data directory')[0]?.text).toMatch(/absent will be made in/)
  expect(of('disk sync')[0]?.text).toMatch(/a sync takes [\d.]+ ms/)
  expect({ code, broken: report.findings.filter(({ state }) => state === 'fail') }).toEqual({
    code: 0,
    broken: [],
  })
  expect(await spawnSurety(['doctor'], { SURETY_DATA_DIR: dataDir }).ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^ok {4}configuration {3}is accepted\n[^]* ok, \d to look at, 0 broken\n$/,
    ) as string,
  })
})

test('a stopped store is opened and looked at, and left as it is', async () => {
  const dataDir = join(root, 'stopped')
  const store = await openTestStore(dataDir)
  await store.command("INSERT INTO spans (ts, service, kind) VALUES (now64(9) + INTERVAL 1 MINUTE, 'a', 2)")
  await store.command("INSERT INTO dead_letters (at, reason) VALUES (now64(3), 'malformed')")
  await store.close()
  const { code, of } = await doctor({ SURETY_DATA_DIR: dataDir })
  expect(code).toBe(0)
  expect(of('store')[0]?.text).toMatch(/^opens; 1 spans/)
  expect(of('dead letters')).toMatchObject([{ state: 'warn', text: '1 in the last hour' }])
  expect(of('clock')).toMatchObject([
    { state: 'warn', text: expect.stringMatching(/starts \d\d\.\d s ahead/) as string },
  ])
})

test('beside a running Surety it asks that one', async () => {
  const surety = await startSurety({ KAFKA_BROKERS: '127.0.0.1:9' })
  try {
    const env = { SURETY_DATA_DIR: surety.dataDir, SURETY_URL: surety.url, KAFKA_BROKERS: '127.0.0.1:9' }
    const { code, of } = await doctor(env)
    expect(code).toBe(1)
    expect(of('running').map(({ state, text }) => `${state} ${text}`)).toEqual([
      'ok store is ready',
      'ok ingest pipeline is ready',
      expect.stringMatching(/^fail kafka is not ready/) as string,
      'ok registry is ready',
      'ok slo loop is ready',
      'ok faults: find is ready',
      'ok faults: explain is ready',
      'ok release verdicts is ready',
      'ok events is ready',
    ])
    expect(of('kafka')).toMatchObject([
      { state: 'fail', text: expect.stringMatching(/^127\.0\.0\.1:9: /) as string },
    ])
    expect(of('parts')[0]?.state).toBe('ok')
    expect(of('ports')).toEqual([])
  } finally {
    await surety.stop()
  }
})

test('a running Surety that does not answer where it is asked is told apart', async () => {
  const surety = await startSurety()
  try {
    const { code, of } = await doctor({ SURETY_DATA_DIR: surety.dataDir, SURETY_URL: 'http://127.0.0.1:9' })
    expect(code).toBe(1)
    expect(of('store')).toMatchObject([
      { state: 'fail', remedy: expect.stringMatching(/SURETY_URL/) as string },
    ])
  } finally {
    await surety.stop()
  }
})

test('a wrong variable, a taken port and a directory of another are named with a remedy', async () => {
  const wrong = await doctor({ SURETY_LINGER_MS: '0', SURETY_MASKING: 'on' })
  expect(wrong.code).toBe(1)
  expect(wrong.report.findings).toMatchObject([
    { check: 'configuration', state: 'fail', text: expect.stringMatching(/SURETY_LINGER_MS/) as string },
  ])

  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void holder.close())
  const { port } = holder.address() as AddressInfo
  const taken = await doctor({ SURETY_DATA_DIR: join(root, 'absent'), SURETY_HTTP_PORT: String(port) })
  expect(taken.code).toBe(1)
  expect(taken.of('ports').map(({ state }) => state)).toEqual(['fail', 'ok'])

  if (process.getuid?.() === 0) return
  const locked = join(root, 'locked')
  mkdirSync(locked)
  chmodSync(locked, 0o500)
  const { of } = await doctor({ SURETY_DATA_DIR: locked })
  expect(of('data directory')).toMatchObject([{ state: 'fail' }])
})

test('tokens that ended or will end, and a certificate that has, are named with a remedy', async () => {
  const folder = join(root, 'access')
  mkdirSync(folder)
  const tokensFile = join(folder, 'tokens.json')
  const entry = (name: string, digit: string, notAfter?: string) => ({
    name,
    hash: `sha256:${digit.repeat(64)}`,
    scopes: ['read'],
    ...(notAfter === undefined ? {} : { notAfter }),
  })
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const entries = [entry('old', '1', inDays(-1)), entry('soon', '2', inDays(5)), entry('good', '3')]
  writeFileSync(tokensFile, JSON.stringify(entries), { mode: 0o600 })
  const { certFile, keyFile } = makeCertificate(folder, 'server')
  const env = {
    SURETY_DATA_DIR: join(root, 'absent-too'),
    SURETY_TOKENS_FILE: tokensFile,
    SURETY_TOKENS_REQUIRED: '1',
    SURETY_TLS_CERT_FILE: certFile,
    SURETY_TLS_KEY_FILE: keyFile,
  }
  const { of } = await doctor(env)
  expect(of('tokens').map(({ state, text }) => `${state}: ${text}`)).toEqual([
    'ok: 2 are good, of 2 names',
    'warn: «old» ended',
    'warn: «soon» will end within three weeks',
    'warn: none has the scope ingest: nobody can send telemetry to the doors',
  ])
  expect(of('TLS')[0]?.text).toMatch(/^the certificate is good until \d{4}-/)

  writeFileSync(tokensFile, JSON.stringify(entries.slice(0, 1)), { mode: 0o600 })
  const other = makeCertificate(folder, 'other')
  const broken = await doctor({ ...env, SURETY_TLS_KEY_FILE: other.keyFile })
  expect(broken.code).toBe(1)
  expect(broken.of('tokens')).toMatchObject([
    { state: 'fail', text: expect.stringMatching(/holds no token that is good/) as string },
  ])
  expect(broken.of('TLS')).toMatchObject([
    { state: 'fail', text: expect.stringMatching(/is not the key of SURETY_TLS_CERT_FILE/) as string },
  ])
})
