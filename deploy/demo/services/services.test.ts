import { describe, expect, test } from 'vitest'
import { mayCorrupt } from '../faults.ts'
import { buildRandom } from '../random.ts'
import { SERVICES, type ServiceName } from '../topology.ts'
import { balanceOf } from './account.ts'
import { limitOf } from './limit.ts'
import type { Answer, Call, Fields, Operation } from './service.ts'
import { services } from './services.ts'

type Visit = { readonly service: ServiceName; readonly answer: Answer }

const random = buildRandom(11)
/** Out of the thousandth in which the host is out of reach. */
const calm = (): number => 0.002 + random() * 0.99

function operationOf(service: ServiceName, { method, route }: Pick<Call, 'method' | 'route'>): Operation {
  const found = services[service].operations.find((one) => one.method === method && one.route === route)
  if (found === undefined) throw new Error(`${service} has no ${method} ${route}`)
  return found
}

/** Walks the chain in one process: every call goes straight to the callee's operation. */
async function visit(service: ServiceName, call: Call, corrupting: ServiceName | undefined, visits: Visit[]) {
  const operation = operationOf(service, call)
  const names = [...call.route.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  const pattern = new RegExp(`^${call.route.replaceAll(/\{\w+\}/g, '([^/]+)')}$`)
  const values = pattern.exec(call.path)?.slice(1) ?? []
  const answer = await operation.answer({
    params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])),
    body: call.body ?? {},
    header: () => 'present',
    call: (next) => visit(next.to, next, corrupting, visits),
    random: calm,
  })
  const body: Fields =
    corrupting === service && answer.status === 200
      ? (operation.corrupt?.(answer.body) ?? answer.body)
      : answer.body
  visits.push({ service, answer })
  return { ...answer, body }
}

const rich = Array.from({ length: 500 }, (_, index) => `6200${String(index).padStart(6, '0')}`).find(
  (number) => balanceOf(number) > 50_000 && limitOf(number) === 20_000,
) as string

const transferOf = (amount: number): Call => ({
  to: 'mobile-bff',
  method: 'POST',
  route: '/transfers',
  path: '/transfers',
  body: { from: rich, to: '6200000002', amount, currency: 'CNY' },
})
const balanceQuery: Call = {
  to: 'mobile-bff',
  method: 'GET',
  route: '/accounts/{account}/balance',
  path: `/accounts/${rich}/balance`,
}

describe('the call chains', () => {
  test('a transfer passes account, limit, ledger and core in this order', async () => {
    const visits: Visit[] = []
    const answer = await visit('mobile-bff', transferOf(100), undefined, visits)
    expect(answer).toMatchObject({ status: 200, returnCode: 'PAY0000' })
    expect(visits.map(({ service }) => service)).toEqual([
      'account',
      'limit',
      'core-adapter',
      'ledger',
      'transfer',
      'gateway',
      'mobile-bff',
    ])
  })

  test('a balance query passes account and core', async () => {
    const visits: Visit[] = []
    const answer = await visit('mobile-bff', balanceQuery, undefined, visits)
    expect(answer).toMatchObject({ status: 200, body: { balance: balanceOf(rich) } })
    expect(visits.map(({ service }) => service)).toEqual(['core-adapter', 'account', 'gateway', 'mobile-bff'])
  })

  test.each([
    { name: 'above the limit of the day', amount: 20_001, want: 'LIM0021' },
    { name: 'above the balance', amount: 10_000_000, want: 'ACC0051' },
  ])('a transfer $name is a business reject all the way up', async ({ amount, want }) => {
    const visits: Visit[] = []
    const answer = await visit('mobile-bff', transferOf(amount), undefined, visits)
    expect(answer).toMatchObject({ status: 422, returnCode: want })
    expect(visits.every(({ answer: one }) => one.status < 500)).toBe(true)
  })
})

describe('a wrong result', () => {
  test.each(
    SERVICES.filter(mayCorrupt).map((service) => ({
      service,
      call: service === 'account' ? [transferOf(100), balanceQuery] : [transferOf(100)],
    })),
  )('of $service fails in another service first, never in its own spans', async ({ service, call }) => {
    for (const request of call) {
      const visits: Visit[] = []
      const answer = await visit('mobile-bff', request, service, visits)
      const failing = visits.find((one) => one.answer.status >= 500)
      expect(answer.status).toBeGreaterThanOrEqual(500)
      expect(failing?.service).not.toBe(service)
      expect(visits.find((one) => one.service === service)?.answer.status).toBe(200)
    }
  })

  test('of limit is refused by the ledger', async () => {
    const visits: Visit[] = []
    await visit('counter-bff', transferOf(100), 'limit', visits)
    expect(visits.find((one) => one.answer.status >= 500)).toMatchObject({
      service: 'ledger',
      answer: { status: 500, returnCode: 'LED5002' },
    })
  })
})
