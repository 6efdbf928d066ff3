// Faults over HTTP: outside alarms come in once, faults are read as far as the caller may.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExternalFaultReply, FaultReply, FaultsReply } from '../../query/http/fault-schemas.ts'
import { viewerOf } from '../support/api-people.ts'
import { applyDocuments, BANK } from '../support/bank-systems.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const HOSTILE = `'; DROP TABLE faults; -- <script>alert("x")</script>`

let surety: TestSurety

beforeAll(async () => {
  // Nobody explains: what is told is what was sent.
  surety = await startSurety({}, ['ingest', 'query'])
  await applyDocuments(surety, 'systems', BANK)
})
afterAll(() => surety.stop())

const at = (beforeMs = 0) => new Date(Date.now() - beforeMs).toISOString()

async function alarm<T = ExternalFaultReply>(body: object, status = 201): Promise<T> {
  const reply = await fetch(`${surety.url}/api/v1/faults`, {
    method: 'POST',
    headers: { ...surety.asLocal, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await reply.text()
  expect([reply.status, text]).toEqual([status, expect.any(String)])
  return JSON.parse(text) as T
}
const list = (query = '') => surety.get<FaultsReply>(`/api/v1/faults?${query}`)

describe('an outside alarm', () => {
  test('begins a fault once, whatever comes again under its id', async () => {
    const rang = at(60_000)
    const first = await alarm({ id: 'zabbix-1', name: 'pay is slow', service: 'pay', at: rang })
    expect(first.result).toBe('new')
    const again = await alarm({ id: 'zabbix-1', name: 'other', service: 'pay', at: at() }, 200)
    expect(again).toEqual({ fault: first.fault, result: 'known' })
    const found = await surety.get<FaultReply>(`/api/v1/faults/${first.fault}`)
    expect(found).toMatchObject({
      origin: 'external',
      name: 'pay is slow',
      alarmAt: rang,
      endedAt: null,
      verdict: null,
      headline: null,
      topCause: null,
      explanation: null,
      decisions: [],
      place: { service: 'pay', operation: '' },
    })
  })

  test('of the same service minutes later joins it, that of another service does not', async () => {
    const joined = await alarm({ id: 'zabbix-2', service: 'pay', at: at() })
    expect(joined.result).toBe('joined')
    const other = await alarm({ id: 'zabbix-3', service: 'card', at: at() })
    expect(other.result).toBe('new')
    expect((await list()).items.map(({ place }) => place.service).toSorted()).toEqual(['card', 'pay'])
    expect((await list('service=card')).items.map(({ id }) => id)).toEqual([other.fault])
    expect((await list('release=none')).items).toEqual([])
    expect((await list('from=-2d&to=-1d')).items).toEqual([])
  })

  test('keeps hostile texts as texts', async () => {
    const { fault } = await alarm({ id: HOSTILE, name: HOSTILE, service: HOSTILE, at: at() })
    expect(await surety.get(`/api/v1/faults/${fault}`)).toMatchObject({
      name: HOSTILE,
      place: { service: HOSTILE },
    })
    expect((await list(`service=${encodeURIComponent(HOSTILE)}`)).items).toHaveLength(1)
  })

  test.each([
    [{ service: 'pay', at: at() }, 'id'],
    [{ id: 'x', at: at() }, 'service'],
    [{ id: 'x', service: '', at: at() }, 'service'],
    [{ id: 'x', service: 'pay' }, 'at'],
    [{ id: 'x', service: 'pay', at: 'yesterday' }, 'at'],
    [{ id: 'x', service: 'pay', at: '2026-02-30T00:00:00Z' }, 'at'],
    [{ id: 'x', service: 'pay', at: at(-3_600_000) }, 'at'],
    [{ id: 'x', service: 'pay', at: at(2 * 86_400_000) }, 'at'],
    [{ id: 'x', service: 'pay', at: at(), measure: 'mood' }, 'measure'],
    [{ id: 'x'.repeat(300), service: 'pay', at: at() }, 'id'],
  ])('that is wrong is refused and names the place: %j', async (body, place) => {
    const before = (await list()).items.length
    const refused = await alarm<{ code: string; errors: { place: string }[] }>(body, 400)
    expect(refused.code).toBe('SURETY_INVALID_REQUEST')
    expect(refused.errors.map((error) => error.place).join()).toContain(place)
    expect((await list()).items).toHaveLength(before)
  })
})

test('faults are read as far as the caller may', async () => {
  const all = (await list()).items
  const ask = await viewerOf(surety, 'card-viewer', ['cards'])
  const seen = (await ask<FaultsReply>('/api/v1/faults')).items.map(({ place }) => place.service)
  // The hostile one is of no system.
  expect(seen.toSorted()).toEqual([HOSTILE, 'card'].toSorted())
  const pay = all.find(({ place }) => place.service === 'pay')
  expect(await ask(`/api/v1/faults/${pay?.id ?? ''}`, 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
  expect(await surety.get('/api/v1/faults/nothing', 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
})
