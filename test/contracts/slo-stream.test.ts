// Changes of SLOs as Server-Sent Events from a running Surety.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SloItem, SlosReply, StreamTransition } from '../../query/http/slo-schemas.ts'
import { viewerOf } from '../support/api-people.ts'
import { applyDocuments, BANK, putSpans } from '../support/bank-systems.ts'
import { listen, type EventListener, type StreamEvent } from '../support/event-listener.ts'
import { sloDocument } from '../support/slo-rig.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const FAST = { step: '10s', window: '1h', target: 0.9, annotations: "    surety/outage-ratio: '0.5'" }
let surety: TestSurety
let open: EventListener[] = []

beforeAll(async () => {
  surety = await startSurety()
  const hour = { fromMs: Date.now() - 3_600_000, count: 360, everyMs: 10_000 }
  await putSpans(surety, { ...hour, service: 'pay' }, { ...hour, service: 'card' })
  await applyDocuments(surety, 'systems', BANK)
  const slos = ['pay', 'card'].map((service) => sloDocument({ ...FAST, name: `${service}-fast`, service }))
  await applyDocuments(surety, 'slos', slos.join('---\n'))
  await eventually(
    () => surety.get<SlosReply>('/api/v1/slos'),
    ({ items }) => items.length === 2 && items.every(({ judgedAt }) => judgedAt !== null),
  )
})
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})
afterAll(() => surety.stop())

async function connect(query = '', headers: Readonly<Record<string, string>> = {}): Promise<EventListener> {
  const listener = await listen(`${surety.url}/api/v1/slos/stream${query}`, headers)
  open.push(listener)
  return listener
}
const transition = ({ data }: StreamEvent) => data as StreamTransition
const isOf = (slo: string, event: string) => (one: StreamEvent) =>
  one.event === event && (one.data as { slo: string }).slo === slo
/** As the loop keeps one. */
const insert = (slo: string, system: string, count = 1) =>
  surety.query?.database.rows(
    `INSERT INTO slo_transitions (at, judged_at, slo, objective, slo_group, system, generation, transition)
    SELECT now(), now(), $1, 0, '', $2, 1, '{"subject":"budget","from":"left","to":"spent","atMs":0}'::jsonb FROM generate_series(1, $3::integer)`,
    [slo, system, count],
  )

test('a fault is told as a transition with its id and as the status that it led to', async () => {
  const listener = await connect('?timeZone=Asia/Shanghai')
  expect(listener.status).toBe(200)
  expect(listener.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(listener.headers.get('cache-control')).toBe('no-store')
  const before = Number(listener.lastId())
  const burst = setInterval(() => {
    void putSpans(surety, {
      service: 'pay',
      outcome: 'system_error',
      fromMs: Date.now(),
      count: 50,
      everyMs: 1,
    })
  }, 500)
  try {
    const told = await listener.until(
      (one) => isOf('pay-fast', 'transition')(one) && transition(one).subject === 'outage',
    )
    expect(transition(told)).toMatchObject({ from: 'inactive', to: 'firing', objective: 0, groupKey: '' })
    expect(Number(told.id)).toBe(transition(told).id)
    expect(transition(told).id).toBeGreaterThan(before)
    const status = await listener.until(
      (one) => isOf('pay-fast', 'status')(one) && (one.data as SloItem).condition === 'outage',
    )
    // The same as the list tells.
    const { items } = await surety.get<SlosReply>('/api/v1/slos?timeZone=Asia/Shanghai')
    const listed = items.find(({ slo }) => slo === 'pay-fast') as unknown as Record<string, unknown>
    expect(Object.keys(status.data as object).toSorted()).toEqual(Object.keys(listed).toSorted())
  } finally {
    clearInterval(burst)
  }
})

test('who comes again with Last-Event-ID is told what he missed, in order; whoever missed too much is told to begin anew', async () => {
  const first = await connect('?slo=card-fast')
  await insert('card-fast', 'cards')
  const known = (await first.until(isOf('card-fast', 'transition'))).id
  expect(first.lastId()).toBe(known)
  await first.close()
  await insert('card-fast', 'cards', 3)
  const again = await connect('?slo=card-fast', { 'last-event-id': known })
  await insert('card-fast', 'cards')
  await again.until(() => again.events.filter(isOf('card-fast', 'transition')).length === 4)
  const ids = again.events.filter(isOf('card-fast', 'transition')).map(({ id }) => Number(id))
  expect(ids).toEqual(ids.toSorted((a, b) => a - b))
  expect(new Set(ids).size).toBe(4)
  await again.close()
  await insert('card-fast', 'cards', 1001)
  const far = await connect('', { 'last-event-id': known })
  expect(far.events.map(({ event }) => event)).toContain('reset')
  expect(far.events.filter(isOf('card-fast', 'transition'))).toEqual([])
  const ahead = await connect('', { 'last-event-id': '999999999' })
  expect(ahead.events.map(({ event }) => event)).toContain('reset')
})

test('each is told of what he may read, and of what he asked for', async () => {
  const as = async (name: string, systems: readonly string[]) => {
    await viewerOf(surety, name, systems)
    const author = { actor: 'test', via: 'test', origin: '127.0.0.1', reason: '', request: '' }
    const signed = await surety.query?.people.openSession(name, 'test', author)
    return { cookie: `surety_session=${signed?.secret}`, 'sec-fetch-site': 'same-origin' }
  }
  const payments = await connect('', await as('pay-listener', ['core-payment']))
  const cards = await connect('', await as('card-listener', ['cards']))
  const chosen = await connect('?service=card')
  await insert('pay-fast', 'core-payment')
  await insert('card-fast', 'cards')
  await insert('pay-fast', 'core-payment')
  for (const listener of [cards, chosen]) {
    await listener.until(isOf('card-fast', 'transition'))
    await listener.until(isOf('card-fast', 'status'))
  }
  await payments.until(() => payments.events.filter(isOf('pay-fast', 'transition')).length >= 2)
  await payments.until(isOf('pay-fast', 'status'))
  const heard = (listener: EventListener) => new Set(listener.events.map(({ data }) => (data as SloItem).slo))
  expect([heard(payments), heard(cards), heard(chosen)]).toEqual([
    new Set(['pay-fast']),
    new Set(['card-fast']),
    new Set(['card-fast']),
  ])
})

test('wrong words are refused before anything is streamed', async () => {
  const asked = (query: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${surety.url}/api/v1/slos/stream${query}`, { headers })
  for (const reply of [await asked('?timeZone=Mars'), await asked('', { 'last-event-id': "1' OR 1=1" })]) {
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: 'SURETY_INVALID_REQUEST' })
  }
  expect((await fetch(`${surety.url}/api/v1/slos/stream`, { method: 'HEAD' })).status).toBe(404)
})

test('two hundred listen; another is told to come again, until one leaves', async () => {
  await Promise.all(Array.from({ length: 200 }, () => connect('?slo=none')))
  const reply = await fetch(`${surety.url}/api/v1/slos/stream`)
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '60'])
  expect(await reply.json()).toMatchObject({
    code: 'SURETY_TOO_MANY_LISTENERS',
    detail: expect.stringContaining('come again in a minute') as string,
  })
  await open.pop()?.close()
  const next = await eventually(
    () => connect('?slo=none'),
    ({ status }) => status === 200,
  )
  expect(next.status).toBe(200)
})

test('at shutdown listeners are told the end, also one that takes nothing', async () => {
  const listener = await connect()
  const deaf = await fetch(`${surety.url}/api/v1/slos/stream`)
  expect(deaf.status).toBe(200)
  await surety.stop()
  await expect(listener.ended).resolves.toBeUndefined()
  await expect(fetch(surety.url)).rejects.toThrow('fetch failed')
  await deaf.body?.cancel().catch(() => undefined)
})
