// The demo's promise: a faulty version that goes to one branch is seen per version, by API and on the page, with its
// release on record; rolled back, it is gone from the newest minute.

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReleaseEventsReply, ServicesReply } from '../../query/http/schemas.ts'
import { openChromium } from '../support/browser.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

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
}, 60_000)

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

test('every service of the bank has a rate within ten seconds of its start', async () => {
  const services = await eventually(
    async () => (await surety.get<ServicesReply>('/api/v1/services?from=-1m')).items,
    (items) =>
      new Set(items.filter(({ ratePerSecond }) => ratePerSecond > 0).map(({ service }) => service)).size ===
      8,
    10_000,
  )
  expect(services.every(({ version: name }) => name !== '')).toBe(true)
})

test('a faulty version at one branch is seen per version, by API and on the page', async () => {
  await control('/api/deployments', {
    service: 'transfer',
    version: '2.14.0',
    scope: { kind: 'branch', branches: ['0531-01'] },
    fault: { kind: 'errors', ratio: 1 },
  })
  const failing = await eventually(
    () => version('transfer', '2.14.0'),
    (item) => (item?.outcomes.system_error ?? 0) >= 3,
    30_000,
  )
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
    await expect.poll(() => row.textContent(), { timeout: 15_000 }).toContain('2.14.0')
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
  const ledger = await eventually(
    () => version('ledger', '6.2.3', '-1m'),
    (item) => (item?.outcomes.system_error ?? 0) >= 3,
    30_000,
  )
  expect(ledger?.errorRatio).toBeGreaterThan(0.02)
  expect(await version('limit', '1.10.0')).toMatchObject({ outcomes: { system_error: 0 } })
})

test('a stress test shows where it is asked for, and nowhere else', async () => {
  const services = async (traffic: string) =>
    (await surety.get<ServicesReply>(`/api/v1/services?from=-10m&traffic=${traffic}`)).items
  expect(await services('stress')).toEqual([])
  await control('/api/stress', { perSecond: 40 })
  await eventually(
    () => services('stress'),
    (items) => new Set(items.filter(({ requests }) => requests > 0).map(({ service }) => service)).size === 8,
    30_000,
  )
  await control('/api/stress', { perSecond: 0 })
  // Both ended before now, so both sums stand still while they are asked for.
  const range = `from=-10m&to=${new Date().toISOString()}`
  const requests = async (path: string) =>
    (await surety.get<ServicesReply>(path)).items.reduce((sum, item) => sum + item.requests, 0)
  await eventually(
    async () => [
      await requests(`/api/v1/services?${range}`),
      await requests(`/api/v1/services?${range}&traffic=live`),
    ],
    ([unasked, live]) => unasked === live && live !== undefined && live > 0,
  )
})

test('rolled back, the version serves no more', async () => {
  await control('/api/rollbacks', { service: 'transfer' })
  const before = (await version('transfer', '2.14.0'))?.requests ?? 0
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const settled = (await version('transfer', '2.14.0'))?.requests ?? 0
  await new Promise((resolve) => setTimeout(resolve, 4000))
  expect((await version('transfer', '2.14.0'))?.requests).toBe(settled)
  expect(settled).toBeGreaterThanOrEqual(before)
  const releases = await surety.get<ReleaseEventsReply>('/api/v1/releases/events?service=transfer')
  expect(releases.items[0]).toMatchObject({ action: 'rolledback', version: '2.13.4' })
})
