// `surety doctor` on a healthy machine, beside a running Surety, and on what is commonly broken.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
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
  const store = await openEmbeddedStore(dataDir)
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
