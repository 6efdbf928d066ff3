import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Bank, Outcome } from '../bank.ts'
import { baselineTable } from '../routing.ts'
import { buildControl } from './app.ts'

const done: Outcome = { kind: 'done', value: undefined }
const local = { host: '127.0.0.1:8090' }

function build(change: Partial<Bank> = {}) {
  const bank = {
    state: () => ({ services: [], faults: [], actions: [], siteStates: [] }),
    routing: () => ({ table: baselineTable(), endpoints: [] }),
    running: () => [],
    deploy: vi.fn<Bank['deploy']>(() => Promise.resolve(done)),
    rollBack: vi.fn<Bank['rollBack']>(() => Promise.resolve(done)),
    addFault: vi.fn<Bank['addFault']>((order) => ({ kind: 'done', value: { id: 'F1', since: 0, ...order } })),
    removeFault: vi.fn<Bank['removeFault']>(() => done),
    clearFaults: vi.fn<Bank['clearFaults']>(() => ({ kind: 'done', value: 0 })),
    setSite: vi.fn<Bank['setSite']>(() => done),
    close: () => Promise.resolve(),
    ...change,
  }
  const setStress = vi.fn<(perSecond: number) => void>()
  const app = buildControl({
    suretyUrl: 'http://127.0.0.1:8080',
    bank,
    traffic: {
      state: () => ({ ratePerSecond: 8, peakPerSecond: 20, sent: 1, dropped: 0, stressPerSecond: 0 }),
      setStress,
    },
    releases: { state: () => ({ pending: 0, sent: 8, refused: 0, lastFailure: undefined }) },
  })
  afterEach(() => app.close())
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, headers: local, payload })
  return { app, bank, post, setStress }
}

describe('the control API', () => {
  test('a site goes down and comes back; a stress test begins and ends', async () => {
    const { bank, post, setStress } = build()
    expect((await post('/api/sites', { site: 'sh-a', state: 'down' })).statusCode).toBe(200)
    expect((await post('/api/sites', { site: 'sh-a', state: 'up' })).statusCode).toBe(200)
    expect(bank.setSite).toHaveBeenNthCalledWith(1, 'sh-a', true)
    expect(bank.setSite).toHaveBeenNthCalledWith(2, 'sh-a', false)
    expect((await post('/api/stress', { perSecond: 30 })).statusCode).toBe(200)
    expect(setStress).toHaveBeenCalledWith(30)
  })

  test.each([
    { path: '/api/sites', body: { site: 'bj-a', state: 'down' }, detail: 'site: must be one of sh-a, sh-b' },
    { path: '/api/sites', body: { site: 'sh-a', state: 'off' }, detail: 'state: must be up or down' },
    { path: '/api/stress', body: { perSecond: 1000 }, detail: 'perSecond: must be from 0 to 200' },
  ])('$path refuses $body', async ({ path, body, detail }) => {
    const { post, bank, setStress } = build()
    const reply = await post(path, body)
    expect(reply.statusCode).toBe(400)
    expect(reply.json()).toMatchObject({ detail })
    expect(bank.setSite).not.toHaveBeenCalled()
    expect(setStress).not.toHaveBeenCalled()
  })

  test('a deployment reaches the bank as it was ordered, each branch once', async () => {
    const { bank, post } = build()
    const reply = await post('/api/deployments', {
      service: 'limit',
      version: '1.10.0',
      scope: { kind: 'branch', branches: ['0531-01', '0531-01'] },
      fault: { kind: 'wrong-result', ratio: 0.5 },
    })
    expect(reply.statusCode).toBe(200)
    expect(bank.deploy).toHaveBeenCalledWith({
      service: 'limit',
      version: '1.10.0',
      scope: { kind: 'branch', branches: ['0531-01'] },
      fault: { kind: 'wrong-result', ratio: 0.5, latencyMs: undefined },
    })
  })

  test.each([
    {
      name: 'a service it does not have',
      url: '/api/rollbacks',
      body: { service: 'cards' },
      field: 'service',
    },
    {
      name: 'a version that could leave a URL',
      url: '/api/deployments',
      body: { service: 'limit', version: '1.0.0/../x', scope: { kind: 'whole' } },
      field: 'version',
    },
    {
      name: 'a weight of everything',
      url: '/api/deployments',
      body: { service: 'limit', version: '1.10.0', scope: { kind: 'weight', percent: 100 } },
      field: 'scope.percent',
    },
    {
      name: 'no branch',
      url: '/api/deployments',
      body: { service: 'limit', version: '1.10.0', scope: { kind: 'branch', branches: [] } },
      field: 'scope.branches',
    },
    {
      name: 'latency without a time',
      url: '/api/faults',
      body: { service: 'limit', kind: 'latency', ratio: 1 },
      field: 'latencyMs',
    },
    {
      name: 'a fault that hits nothing',
      url: '/api/faults',
      body: { service: 'limit', kind: 'errors', ratio: 0 },
      field: 'ratio',
    },
  ])('refuses $name and names the field', async ({ url, body, field }) => {
    const { bank, post } = build()
    const reply = await post(url, body)
    expect(reply.statusCode).toBe(400)
    expect(reply.headers['content-type']).toContain('application/problem+json')
    expect(reply.json()).toMatchObject({ code: 'DEMO_INVALID', errors: [{ field }] })
    expect(bank.deploy).not.toHaveBeenCalled()
    expect(bank.addFault).not.toHaveBeenCalled()
  })

  test('says what the bank says when it refuses', async () => {
    const refused = {
      kind: 'refused',
      why: 'conflict',
      field: 'service',
      reason: 'busy',
      remedy: 'wait',
    } as const
    const { post } = build({ rollBack: () => Promise.resolve(refused) })
    const reply = await post('/api/rollbacks', { service: 'limit' })
    expect(reply.statusCode).toBe(409)
    expect(reply.json()).toMatchObject({ detail: 'service: busy; wait' })
  })

  test.each([
    { name: 'a foreign host', headers: { host: 'bank.example' }, status: 403 },
    { name: 'a foreign page', headers: { ...local, origin: 'https://bank.example' }, status: 403 },
    { name: 'a foreign form', headers: { ...local, 'content-type': 'text/plain' }, status: 415 },
  ])('$name drives nothing', async ({ headers, status }) => {
    const { app, bank } = build()
    const reply = await app.inject({
      method: 'POST',
      url: '/api/rollbacks',
      headers,
      payload: '{"service":"limit"}',
    })
    expect(reply.statusCode).toBe(status)
    expect(bank.rollBack).not.toHaveBeenCalled()
  })

  test('a link from another page opens the control page, and nothing else of it', async () => {
    const { app } = build()
    const visit = { ...local, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await app.inject({ url: '/', headers: visit })).statusCode).toBe(200)
    const script = { ...local, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
    expect((await app.inject({ url: '/api/state', headers: script })).statusCode).toBe(403)
  })

  test.each(['/', '/page.css', '/page.js', '/scenarios.js', '/words.js'])('serves %s', async (url) => {
    const { app } = build()
    const reply = await app.inject({ url, headers: local })
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'")
  })
})

test('the control page says everything in both languages', async () => {
  const { WORDS } = (await import(new URL('./page/words.js', import.meta.url).href)) as {
    WORDS: Record<'zh-CN' | 'en', object>
  }
  const shape = (value: unknown, name = ''): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => shape(inner, `${name}.${key}`))
      : [`${name}: ${typeof value}`]
  expect(shape(WORDS['zh-CN'])).toEqual(shape(WORDS.en))
})

test('what can be tried is words in both languages and orders that the bank takes', async () => {
  type Step = { method: string; path: string; body: { service: string } }
  const page = (await import(new URL('./page/scenarios.js', import.meta.url).href)) as {
    SCENARIOS: string[]
    stepsOf: (name: string, nextVersion: (service: string) => string) => Step[]
    stepsBack: (services: object[]) => Step[]
  }
  const { WORDS } = (await import(new URL('./page/words.js', import.meta.url).href)) as {
    WORDS: Record<'zh-CN' | 'en', { scenarios: object }>
  }
  for (const words of [WORDS['zh-CN'], WORDS.en]) expect(Object.keys(words.scenarios)).toEqual(page.SCENARIOS)
  const { app } = build()
  for (const name of page.SCENARIOS) {
    for (const { method, path, body } of page.stepsOf(name, () => '9.9.9')) {
      const reply = await app.inject({ method: method as 'POST', url: path, headers: local, payload: body })
      expect(reply.statusCode).toBe(200)
    }
  }
  const gray = { name: 'limit', versions: [{ role: 'base' }, { role: 'gray' }] }
  expect(page.stepsBack([gray, { name: 'ledger', versions: [{ role: 'base' }] }])).toEqual([
    { method: 'DELETE', path: '/api/faults' },
    { method: 'POST', path: '/api/rollbacks', body: { service: 'limit' } },
  ])
})
