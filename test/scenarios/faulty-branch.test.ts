// The demo's promise: a faulty version that goes to one branch is seen per version, by API and on the page, with its
// release on record; rolled back, it is gone from the newest minute.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ReleaseEventsReply, ServicesReply } from '../../query/http/schemas.ts'
import { openChromium } from '../support/browser.ts'
import { buildEventually } from '../support/patience.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

// A limit for a bank that stands still; one that is slow has all the time it needs.
const STILL_MS = 300_000
vi.setConfig({ testTimeout: STILL_MS })

let surety: TestSurety
let bank: ChildProcess
let controlUrl: string

beforeAll(async () => {
  surety = await startSurety({ SURETY_LINGER_MS: '1000' })
  bank = fork(fileURLToPath(new URL('../../deploy/demo/main.ts', import.meta.url)), [], {
    env: {
      ...process.env,
      SURETY_DEMO_PORT: '0',
      SURETY_DEMO_RATE: '40',
      SURETY_DEMO_SURETY_URL: surety.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: surety.otlpHttpUrl,
      SURETY_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  controlUrl = await new Promise<string>((resolve, reject) => {
    bank.once('message', (message: { url?: string }) => resolve(message.url ?? ''))
    bank.once('exit', (code) => reject(new Error(`the demo bank ended with ${code}`)))
  })
}, STILL_MS)

afterAll(async () => {
  if (bank.exitCode === null) {
    bank.removeAllListeners('exit')
    const ended = new Promise((resolve) => bank.once('exit', resolve))
    bank.kill('SIGTERM')
    await ended
  }
  await surety.stop()
})

async function control(path: string, body: unknown): Promise<void> {
  const reply = await fetch(`${controlUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect([reply.status, await reply.text()]).toEqual([200, expect.any(String)])
}

async function version(service: string, wanted: string, from = '-5m') {
  const { items } = await surety.get<ServicesReply>(`/api/v1/services?from=${from}`)
  return items.find((item) => item.service === service && item.version === wanted)
}

const requestsOf = async (service: string, wanted: string) =>
  (await version(service, wanted, '-60m'))?.requests ?? 0

/** Patience in requests that the bank served meanwhile. */
const eventually = buildEventually({
  async happened() {
    const { items } = await surety.get<ServicesReply>('/api/v1/services?from=-60m')
    return items.reduce((sum, { requests }) => sum + requests, 0)
  },
  max: 8000,
})

const servicesOf = (reply: ServicesReply) =>
  new Set(
    reply.items
      .filter(({ requests, ratePerSecond }) => requests > 0 && ratePerSecond > 0)
      .map(({ service }) => service),
  )

test('every service of the bank has a rate', async () => {
  const { items } = await eventually(async () => {
    const reply = await surety.get<ServicesReply>('/api/v1/services?from=-1m')
    expect(servicesOf(reply).size).toBe(8)
    return reply
  })
  expect(items.every(({ version: name }) => name !== '')).toBe(true)
})

test('a faulty version at one branch is seen per version, by API and on the page', async () => {
  await control('/api/deployments', {
    service: 'transfer',
    version: '2.14.0',
    scope: { kind: 'branch', branches: ['0531-01'] },
    fault: { kind: 'errors', ratio: 1 },
  })
  const failing = await eventually(async () => {
    const item = await version('transfer', '2.14.0')
    expect(item?.outcomes.system_error ?? 0).toBeGreaterThanOrEqual(3)
    return item
  })
  expect(failing?.errorRatio).toBeGreaterThan(0.5)
  const healthy = await version('transfer', '2.13.4')
  expect(healthy?.errorRatio).toBeLessThan(0.05)
  const releases = await surety.get<ReleaseEventsReply>('/api/v1/releases/events?service=transfer')
  expect(releases.items[0]).toMatchObject({ service: 'transfer', version: '2.14.0', action: 'deployed' })
  expect(releases.items[0]?.description).toContain('0531-01')

  const browser = await openChromium()
  try {
    const page = await browser.newPage({ locale: 'en' })
    await page.goto(`${surety.url}/?lang=en`)
    const row = page.locator('.services tbody tr').first()
    await eventually(async () => expect(await row.textContent()).toContain('2.14.0'))
    expect(await row.textContent()).toContain('failing')
  } finally {
    await browser.close()
  }
})

test('a wrong result shows one hop away: the faulty service stays green', async () => {
  await control('/api/deployments', {
    service: 'limit',
    version: '1.10.0',
    scope: { kind: 'weight', percent: 50 },
    fault: { kind: 'wrong-result', ratio: 1 },
  })
  // The last minute holds the time before the fault too, so its ratio grows.
  await eventually(async () =>
    expect((await version('ledger', '6.2.3', '-1m'))?.errorRatio ?? 0).toBeGreaterThan(0.02),
  )
  await eventually(async () => expect(await requestsOf('limit', '1.10.0')).toBeGreaterThan(0))
  expect(await version('limit', '1.10.0', '-60m')).toMatchObject({ outcomes: { system_error: 0 } })
})

test('a stress test shows where it is asked for, and nowhere else', async () => {
  const services = (traffic: string) =>
    surety.get<ServicesReply>(`/api/v1/services?from=-10m&traffic=${traffic}`)
  expect((await services('stress')).items).toEqual([])
  await control('/api/stress', { perSecond: 40 })
  await eventually(async () => expect(servicesOf(await services('stress')).size).toBe(8))
  await control('/api/stress', { perSecond: 0 })
  // Both ended before now, so both sums stand still while they are asked for.
  const range = `from=-10m&to=${new Date().toISOString()}`
  const requests = async (path: string) =>
    (await surety.get<ServicesReply>(path)).items.reduce((sum, item) => sum + item.requests, 0)
  await eventually(async () => {
    const unasked = await requests(`/api/v1/services?${range}`)
    expect(unasked).toBeGreaterThan(0)
    expect(await requests(`/api/v1/services?${range}&traffic=live`)).toBe(unasked)
  })
})

test('rolled back, the version serves no more', async () => {
  await control('/api/rollbacks', { service: 'transfer' })
  // What was under way is answered, sent and stored first; then the other version serves alone.
  await eventually(async () => {
    const before = await requestsOf('transfer', '2.14.0')
    const base = await requestsOf('transfer', '2.13.4')
    expect(before).toBeGreaterThan(0)
    await eventually(async () => expect(await requestsOf('transfer', '2.13.4')).toBeGreaterThan(base + 30))
    expect(await requestsOf('transfer', '2.14.0')).toBe(before)
  })
  const releases = await surety.get<ReleaseEventsReply>('/api/v1/releases/events?service=transfer')
  expect(releases.items[0]).toMatchObject({ action: 'rolledback', version: '2.13.4' })
})
