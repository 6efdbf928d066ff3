// Surety watches itself: its own spans come in by its own door, and nothing comes of them but what others cause.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServicesReply, TraceSearchReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const EXPORT_INTERVAL_MS = 100
const SPANS = 16
let surety: TestSurety

beforeAll(async () => {
  // The SDK's own variable; Surety has none for it.
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = String(EXPORT_INTERVAL_MS)
  surety = await startSurety({ SURETY_TRACES_ENDPOINT: 'self', SURETY_TRACES_RATIO: '1' })
})

afterAll(async () => {
  await surety.stop()
  delete process.env['OTEL_BSP_SCHEDULE_DELAY']
})

/** Spans stored; asking makes none, unlike asking the API. */
async function spansStored(): Promise<number> {
  const text = await (await fetch(`${surety.url}/metrics`)).text()
  return Number(/surety_ingest_rows_total\{table="spans",door="otlp"\} (\d+)/.exec(text)?.[1] ?? 0)
}

/** Waits until so many are stored, then for twenty exports more; the number that is stored then. */
async function afterQuiet(atLeast: number): Promise<number> {
  await eventually(spansStored, (count) => count >= atLeast)
  await new Promise((resolve) => setTimeout(resolve, 20 * EXPORT_INTERVAL_MS))
  return spansStored()
}

const namesOf = ({ items }: TraceSearchReply) => items.map(({ operation }) => operation)
const ownTraces = () => surety.get<TraceSearchReply>('/api/v1/traces?service=surety&limit=100')

test('without traffic there are no own spans', async () => {
  expect(await afterQuiet(0)).toBe(0)
})

test('an API request makes one span, and its storage none', async () => {
  await surety.get<ServicesReply>('/api/v1/services')
  expect(await afterQuiet(1)).toBe(1)
})

test('a batch of others makes one span, and its storage none', async () => {
  const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
  const [body = Buffer.alloc(0)] = bankRequests({ seed: 1, requests: 1, spansPerRequest: SPANS, startNs })
  expect((await surety.send(body)).status).toBe(200)
  expect(await afterQuiet(1 + SPANS + 1)).toBe(1 + SPANS + 1)
})

test('own spans are found like any service’s', async () => {
  const traces = await eventually(ownTraces, (reply) => namesOf(reply).includes('GET /api/v1/traces'))
  expect([...new Set(namesOf(traces))].sort()).toEqual([
    'GET /api/v1/services',
    'GET /api/v1/traces',
    'write traces',
  ])
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  const own = items.find(({ service }) => service === 'surety')
  expect(own?.system).toBe('surety')
})
