// The routes of SLOs on a running Surety: definitions by the API, requests in the store, judged by the loop; figures computed by hand.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  SloBurnReply,
  SloHistoryReply,
  SloItem,
  SloLedgerReply,
  SloReply,
  SlosReply,
} from '../../query/http/slo-schemas.ts'
import { viewerOf } from '../support/api-people.ts'
import { applyDocuments, BANK, putSpans } from '../support/bank-systems.ts'
import { sloDocument } from '../support/slo-rig.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A whole hour; everything that is computed by hand lies in the one that begins here. */
const BEGIN = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR
const at = (minutes: number) => new Date(BEGIN + minutes * MINUTE).toISOString()
const THE_HOUR = `from=${at(0)}&to=${at(60)}`
const HOSTILE = `'; DROP TABLE spans; -- {slo:String} \${x} <script>`
const REGIONS = ['CN', 'CN1', 'CN 2', 'cn"3', "'; DROP TABLE spans; --", '上海', '😀', '�', '']

const TIMESLICES = sloDocument({ name: 'pay-slices', target: 0.9, window: '6h' })
  .replace('budgetingMethod: Occurrences', 'budgetingMethod: Timeslices')
  .replace('{ target: 0.9 }', '{ target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 5m }')
const NAMED = sloDocument({ name: 'pay-named', target: 0.5, window: '6h' }).replace(
  '  name: pay-named',
  `  name: pay-named\n  displayName: ${JSON.stringify(HOSTILE)}`,
)
const ELSEWHERE = sloDocument({ name: 'pay-elsewhere' }).replaceAll('type: Surety', 'type: Datadog')
const EXCLUSION = `apiVersion: surety/v1
kind: Exclusion
metadata: { name: change-4711 }
spec:
  reason: planned work
  approver: head of operations
  ticket: CHG-4711
  from: ${at(15)}
  to: ${at(20)}
  appliesTo: { services: [pay] }
`

let surety: TestSurety
const get = <T>(path: string, status = 200) => surety.get<T>(`/api/v1/slos${path}`, status)
const refused = { code: 'SURETY_INVALID_REQUEST' }

beforeAll(async () => {
  surety = await startSurety()
  const always = { fromMs: BEGIN - 6 * HOUR, count: 10 * 360, everyMs: 10_000 }
  await putSpans(
    surety,
    { ...always, service: 'pulse' },
    { ...always, service: 'pay' },
    { ...always, service: 'card' },
    // Ten bad minutes, of which the second half is excluded. Transfers fail at the ledger, refunds by themselves.
    ...[10, 15].flatMap((minute, place) => {
      const fromMs = BEGIN + minute * MINUTE
      const traces = 1000 * (place + 1)
      const transfers = { fromMs, count: 10, everyMs: 30_000, traces, outcome: 'system_error' } as const
      return [
        { ...transfers, service: 'pay', version: '2', operation: 'transfer', span: 1 },
        { ...transfers, service: 'pay', version: '2', operation: 'POST', kind: 3, span: 2, parent: 1 },
        { ...transfers, service: 'ledger', version: '6.2.3', operation: 'book', span: 3, parent: 2 },
        {
          ...transfers,
          traces: traces + 500,
          service: 'pay',
          operation: 'refund',
          span: 1,
          count: 5,
          everyMs: MINUTE,
        },
      ]
    }),
    // Three transfers went another way: the ledger served them.
    {
      service: 'pay',
      version: '2',
      operation: 'transfer',
      outcome: 'system_error',
      fromMs: BEGIN + 12 * MINUTE,
      count: 3,
      everyMs: 1000,
      traces: 5000,
      span: 1,
    },
    {
      service: 'bulk',
      outcome: 'system_error',
      fromMs: BEGIN + 30 * MINUTE,
      count: 600,
      everyMs: 100,
      traces: 10_000,
      span: 1,
    },
    {
      service: 'old',
      outcome: 'system_error',
      fromMs: BEGIN - 50 * HOUR,
      count: 10,
      everyMs: 100,
      traces: 20_000,
      span: 1,
    },
    ...REGIONS.map((region, place) => ({
      service: 'branch',
      region,
      fromMs: BEGIN,
      count: 10 + place,
      everyMs: 600_000,
    })),
    ...REGIONS.map((region) => ({
      service: 'branch',
      region,
      fromMs: Date.now() - 10 * MINUTE,
      count: 200,
      everyMs: 5000,
    })),
  )
  await applyDocuments(surety, 'systems', BANK)
  await applyDocuments(
    surety,
    'slos',
    [
      EXCLUSION,
      sloDocument({ name: 'pay-available', target: 0.9, window: '6h' }),
      TIMESLICES,
      NAMED,
      ELSEWHERE,
      sloDocument({ name: 'card-available', service: 'card', target: 0.9, window: '6h' }),
      sloDocument({ name: 'pay-nobody', where: '{ service: pay, operation: never }', window: '6h' }),
      sloDocument({ name: 'unknown-nobody', where: '{ service: nobody }' }),
      sloDocument({ name: 'bulk-available', where: '{ service: bulk }', target: 0.9, window: '6h' }),
      sloDocument({ name: 'old-available', where: '{ service: old }', target: 0.9 }),
      sloDocument({
        name: 'by-region',
        where: '{ service: branch }',
        extra: ', groupBy: [region]',
        window: '6h',
      }),
    ].join('---\n'),
  )
  const isDone = ({ backfill, judgedAt }: SloItem) => judgedAt !== null && backfill === null
  await eventually(
    () => get<SlosReply>('?limit=1000'),
    ({ items }) =>
      items.every(isDone) && items.filter(({ slo }) => slo === 'by-region').length === REGIONS.length,
  )
}, 180_000)
afterAll(() => surety.stop())

async function pages(query: string): Promise<SlosReply[]> {
  const found = [await get<SlosReply>(`?${query}`)]
  for (let next = found[0]?.next; next !== null && next !== undefined; next = found.at(-1)?.next)
    found.push(await get<SlosReply>(`?${query}&cursor=${next}`))
  return found
}
const names = ({ items }: SlosReply) => items.map(({ slo }) => slo)

describe('the list', () => {
  test('tells each SLO once, by name, with counts of all that fit and why others are not measured', async () => {
    const { items, counts, unmeasured, next } = await get<SlosReply>('?limit=1000')
    expect([...new Set(items.map(({ slo }) => slo))]).toEqual([
      'bulk-available',
      'by-region',
      'card-available',
      'old-available',
      'pay-available',
      'pay-named',
      'pay-nobody',
      'pay-slices',
      'unknown-nobody',
    ])
    expect(next).toBeNull()
    const byCondition: Record<string, number> = {}
    for (const { condition } of items) byCondition[condition] = (byCondition[condition] ?? 0) + 1
    expect(counts).toEqual(byCondition)
    expect(unmeasured).toEqual([{ slo: 'pay-elsewhere', reasons: [expect.any(String) as string] }])
    const pay = items.find(({ slo }) => slo === 'pay-available')
    expect(pay).toMatchObject({
      service: 'pay',
      system: 'core-payment',
      owner: 'pay-team',
      tier: 'general',
      target: 0.9,
    })
    const { net, gross } = pay?.window ?? {}
    // 33 bad ones in the window, 18 of them not excluded; 5 minutes of 6 good ones are excluded with the others.
    expect([(gross?.total ?? 0) - (gross?.good ?? 0), (net?.total ?? 0) - (net?.good ?? 0)]).toEqual([33, 18])
    expect((gross?.total ?? 0) - (net?.total ?? 0)).toBe(30 + 15)
    expect(pay?.budget?.remainingRatio).toBeCloseTo(1 - 18 / (net?.total ?? 0) / 0.1, 9)
  })

  test('filters by service, system, condition and text, alone and together', async () => {
    expect(names(await get('?service=card'))).toEqual(['card-available'])
    expect(names(await get('?system=core-payment&limit=1000'))).not.toContain('card-available')
    expect(names(await get('?system=cards'))).toEqual(['card-available'])
    expect(names(await get('?text=SLICES'))).toEqual(['pay-slices'])
    expect(names(await get(`?text=${encodeURIComponent('DROP table')}`))).toEqual(['pay-named'])
    const empty = await get<SlosReply>('?condition=outage')
    expect([empty.items, empty.counts]).toEqual([[], {}])
    const silent = await get<SlosReply>('?condition=no-data&text=nobody')
    expect(names(silent)).toEqual(['unknown-nobody'])
    expect(silent.counts).toEqual({ 'no-data': 1 })
    expect(silent.items[0]?.hint).toBe('unmatched')
  })

  test('pages hold everything once and in order, whatever groups are called', async () => {
    const all = (await get<SlosReply>('?limit=1000')).items.map(({ slo, groupKey }) => [slo, groupKey])
    expect(all.filter(([slo]) => slo === 'by-region')).toHaveLength(REGIONS.length)
    for (const limit of [1, 2, 5]) {
      const found = await pages(`limit=${limit}`)
      expect(found.flatMap(({ items }) => items.map(({ slo, groupKey }) => [slo, groupKey]))).toEqual(all)
      expect(found.every(({ items }) => items.length <= limit)).toBe(true)
    }
    const filtered = await pages('limit=2&service=pay&text=region')
    expect(filtered.flatMap(({ items }) => items)).toHaveLength(REGIONS.length)
  })

  test('a cursor that is forged, of another list or of other filters is refused', async () => {
    const cursor = (await get<SlosReply>('?limit=1')).next ?? ''
    const other = await surety.get<{ next: string | null }>('/api/v1/registry/slos?limit=1')
    const forged = `${cursor.slice(0, -2)}${cursor.endsWith('A') ? 'BB' : 'AA'}`
    for (const wrong of [forged, other.next ?? 'x', 'null', encodeURIComponent("' OR 1=1"), 'x'.repeat(4000)])
      expect(await get(`?limit=1&cursor=${wrong}`, 400)).toMatchObject({
        ...refused,
        errors: [{ place: 'querystring.cursor' }],
      })
    expect(await get(`?limit=1&text=pay&cursor=${cursor}`, 400)).toMatchObject(refused)
    expect(await get(`?cursor=${'x'.repeat(5000)}`, 400)).toMatchObject(refused)
  })
})

test('one SLO is told with its groups, exclusions, definition and what it asks', async () => {
  const one = await get<SloReply>('/pay-available')
  expect(one.items.map(({ slo }) => slo)).toEqual(['pay-available'])
  expect(one.exclusions).toEqual([
    {
      name: 'change-4711',
      reason: 'planned work',
      approver: 'head of operations',
      ticket: 'CHG-4711',
      enteredAt: expect.any(String) as string,
      isRetroactive: true,
      stretches: [{ from: at(15), to: at(20) }],
    },
  ])
  expect(one.definition).toMatchObject({ name: 'pay-available', service: 'pay', coverageFloor: 0.9 })
  const [question] = one.questions
  expect(question?.sql).toContain("'pay'")
  // What is told can be asked.
  expect(await surety.store().rows(question?.sql ?? '')).toBeInstanceOf(Array)
  expect(one.burnProfile?.source).toContain('Workbook')
  const groups = await get<SloReply>('/by-region')
  expect(new Set(groups.items.map(({ group }) => group?.['region']))).toEqual(new Set(REGIONS))
  expect((await get<SloReply>('/card-available')).exclusions).toEqual([])
  expect(await get('/pay-elsewhere', 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
  expect(await get(`/${encodeURIComponent("x' OR 1=1")}`, 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
})

test('the history tells what was said, with the transitions that led there', async () => {
  const now = await eventually(
    () => get<SloHistoryReply>('/pay-available/history?from=-1h'),
    ({ points }) => points.length > 0,
  )
  const [item] = (await get<SloReply>('/pay-available')).items
  expect(now.points.at(-1)).toMatchObject({
    sliRatio: expect.any(Number) as number,
    coverage: expect.any(Number) as number,
  })
  const first = now.transitions.find(({ subject }) => subject === 'condition')
  expect(first?.to).toBe(item?.condition)
  expect(now.transitions.map(({ id }) => id)).toEqual(
    now.transitions.map(({ id }) => id).toSorted((a, b) => b - a),
  )
  expect(now.isCut).toBe(false)
  // Nothing was said before there was an SLO.
  expect((await get<SloHistoryReply>(`/pay-available/history?${THE_HOUR}`)).points).toEqual([])
  expect((await get<SloHistoryReply>('/by-region/history?from=-1h&group=[%22CN%22]')).points).not.toEqual([])
})

describe('burn rates', () => {
  const pointAt = (reply: SloBurnReply, minutes: number, window: number) =>
    reply.windows
      .find(({ windowSeconds }) => windowSeconds === window * 60)
      ?.points.find((point) => point.at === at(minutes))

  test('of Occurrences are bad ÷ all ÷ budget, with and without what is excluded', async () => {
    const reply = await get<SloBurnReply>(`/pay-available/burn?${THE_HOUR}&windows=5m,7m,1h&points=60`)
    expect(reply).toMatchObject({ from: at(0), to: at(60), stepSeconds: 60, target: 0.9 })
    // Six good ones a minute; in the eleventh to fifteenth minute 10 + 5 + 3 bad ones.
    const burn = (bad: number, good: number) => expect.closeTo(bad / (bad + good) / 0.1, 9) as number
    expect(pointAt(reply, 10, 5)).toEqual({ at: at(10), burnRate: 0, burnRateGross: 0, coverage: 1 })
    expect(pointAt(reply, 15, 5)).toEqual({
      at: at(15),
      burnRate: burn(18, 30),
      burnRateGross: burn(18, 30),
      coverage: 1,
    })
    expect(pointAt(reply, 20, 5)).toEqual({
      at: at(20),
      burnRate: null,
      burnRateGross: burn(15, 30),
      coverage: null,
    })
    // Two of its minutes count: three bad a minute, and three more in the thirteenth only.
    expect(pointAt(reply, 20, 7)).toMatchObject({ burnRate: burn(6, 12), burnRateGross: burn(21, 42) })
    expect(pointAt(reply, 60, 60)).toMatchObject({ burnRate: burn(18, 330), burnRateGross: burn(33, 360) })
    const coarse = await get<SloBurnReply>(`/pay-available/burn?${THE_HOUR}&windows=1h&points=10`)
    expect(coarse.windows[0]?.points.at(-1)).toEqual(pointAt(reply, 60, 60))
    expect(coarse.windows[0]?.points.length).toBeLessThanOrEqual(10)
  })

  test('of Timeslices are bad slices ÷ slices ÷ budget; one that an exclusion touches is left out whole', async () => {
    const reply = await get<SloBurnReply>(`/pay-slices/burn?${THE_HOUR}&windows=30m,1h&points=60`)
    expect(reply.stepSeconds).toBe(300)
    expect(pointAt(reply, 15, 30)).toMatchObject({ burnRate: expect.closeTo(1 / 6 / 0.1, 9) as number })
    expect(pointAt(reply, 60, 60)).toMatchObject({
      burnRate: expect.closeTo(1 / 11 / 0.1, 9) as number,
      burnRateGross: expect.closeTo(2 / 12 / 0.1, 9) as number,
      coverage: 1,
    })
  })

  test('end where judging ended, so that the newest window is not called unknown', async () => {
    const reply = await get<SloBurnReply>('/pay-available/burn?from=-30m&to=now&windows=5m&points=30')
    const [item] = (await get<SloReply>('/pay-available')).items
    expect(Date.parse(reply.to)).toBeLessThanOrEqual(Date.parse(item?.judgedAt ?? ''))
    expect(reply.windows[0]?.points.at(-1)).toMatchObject({ burnRate: 0, coverage: 1 })
  })

  test.each([
    {
      name: 'windows that are no multiples of the time slice',
      path: `pay-slices/burn?${THE_HOUR}&windows=7m`,
      told: "multiples of the SLO's slice of 300 s",
    },
    { name: 'a window of nothing', path: 'pay-available/burn?windows=0m', told: 'longer than nothing' },
    {
      name: 'windows that are none',
      path: 'pay-available/burn?windows=5x',
      told: 'windows such as 5m,1h,6h',
    },
    {
      name: 'a range of too many slices',
      path: 'pay-available/burn?from=-399d&windows=5m',
      told: 'take a shorter range, or longer windows',
    },
    { name: 'a range beyond what is kept', path: 'pay-available/burn?from=-500d', told: 'at most 400 days' },
    { name: 'a range backwards', path: 'pay-available/burn?from=-1h&to=-2h', told: 'must lie before to' },
    { name: 'too many points', path: 'pay-available/burn?points=100000', told: '2000' },
    { name: 'a group that is no JSON', path: 'by-region/burn?group=CN', told: 'groupKey of an item' },
    { name: 'an objective that it does not have', path: 'pay-available/burn?objective=7', told: 'it has 0' },
  ])('$name are refused with the remedy', async ({ path, told }) => {
    const problem = await get<{ detail: string }>(`/${path}`, 400)
    expect(problem).toMatchObject(refused)
    expect(problem.detail).toContain(told)
  })
})

describe('the ledger', () => {
  test('tells who spent it, in how many minutes and at what they failed; excluded time is left out', async () => {
    const ledger = await get<SloLedgerReply>(`/pay-available/ledger?${THE_HOUR}`)
    const [item] = (await get<SloReply>('/pay-available')).items
    const allowed = item?.budget?.allowed ?? 0
    expect(ledger).toEqual({
      from: at(0),
      to: at(60),
      spent: 18,
      spentRatio: expect.closeTo(18 / allowed, 2) as number,
      badMinutes: 5,
      attributedRatio: 1,
      items: [
        {
          service: 'pay',
          operation: 'transfer',
          version: '2',
          dependency: 'ledger 6.2.3',
          // Ten of thirteen failed there.
          dependencyRatio: 10 / 13,
          bad: 13,
          share: 13 / 18,
          budgetShare: expect.closeTo(13 / allowed, 2) as number,
          minutes: 5,
          firstAt: at(10),
          lastAt: at(14),
        },
        {
          service: 'pay',
          operation: 'refund',
          version: '1',
          dependency: '',
          dependencyRatio: null,
          bad: 5,
          share: 5 / 18,
          budgetShare: expect.closeTo(5 / allowed, 2) as number,
          minutes: 5,
          firstAt: at(10),
          lastAt: at(14),
        },
      ],
    })
    const [first, ...rest] = (await get<SloLedgerReply>(`/pay-available/ledger?${THE_HOUR}&limit=1`)).items
    expect([first?.bad, rest]).toEqual([13, []])
    // Without a range it is the SLO window, which ends where it is asked for.
    expect(await get(`/pay-available/ledger?to=${at(60)}`)).toMatchObject({
      from: at(-300),
      to: at(60),
      spent: 18,
    })
    expect(await get('/pay-available/ledger')).toMatchObject({ spent: 18 })
  })

  test('it says how much was looked at: at most 500 bad spans, of the newest day that had any', async () => {
    const ledger = await get<SloLedgerReply>(`/bulk-available/ledger?${THE_HOUR}`)
    expect(ledger).toMatchObject({ spent: 600, attributedRatio: 500 / 600 })
    expect(ledger.items).toMatchObject([{ service: 'bulk', bad: 600, dependency: '' }])
    expect(await get('/old-available/ledger?from=-5d')).toMatchObject({ spent: 10, attributedRatio: 1 })
  })

  test('of an SLO by groups it is of one group, or of all of them without a part of a budget', async () => {
    expect(await get('/by-region/ledger?group=[%22CN%22]')).toMatchObject({
      spent: 0,
      attributedRatio: null,
      items: [],
    })
    expect(await get('/by-region/ledger')).toMatchObject({ spent: 0, spentRatio: null })
    for (const group of ['CN', '{}', '[1]', '["a","b"]', '[]', '"CN"'])
      expect(await get(`/by-region/ledger?group=${encodeURIComponent(group)}`, 400)).toMatchObject({
        ...refused,
        errors: [{ place: 'querystring.group' }],
      })
    expect(await get('/pay-available/ledger?group=[%22CN%22]', 400)).toMatchObject(refused)
  })
})

test('who may read one system sees nothing of the others, neither in lists nor as a dependency', async () => {
  const payments = await viewerOf(surety, 'pay-viewer', ['core-payment'])
  const cards = await viewerOf(surety, 'card-viewer', ['cards'])
  const list = await payments<SlosReply>('/api/v1/slos?limit=1000')
  expect(names(list)).toContain('pay-available')
  expect(names(list)).not.toContain('card-available')
  const mine = await cards<SlosReply>('/api/v1/slos?limit=1000')
  expect(names(mine)).toEqual(['card-available'])
  expect(Object.values(mine.counts).reduce((sum, count) => sum + count, 0)).toBe(1)
  expect(mine.unmeasured).toEqual([])
  for (const path of ['', '/history', '/burn', '/ledger'])
    expect(await cards(`/api/v1/slos/pay-available${path}`, 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
  const ledger = await payments<SloLedgerReply>(`/api/v1/slos/pay-available/ledger?${THE_HOUR}`)
  expect(ledger.items.map(({ operation, dependency }) => [operation, dependency])).toEqual([
    ['transfer', ''],
    ['refund', ''],
  ])
  expect(JSON.stringify(ledger)).not.toContain('6.2.3')
})

describe('what is hostile', () => {
  test('names and groups are text, in answers and in questions', async () => {
    const [named] = (await get<SloReply>('/pay-named')).items
    expect(named?.displayName).toBe(HOSTILE)
    for (const region of REGIONS) {
      const key = encodeURIComponent(JSON.stringify([region]))
      for (const part of ['history', 'burn', 'ledger']) await get(`/by-region/${part}?group=${key}`)
    }
    expect((await get<SlosReply>(`?text=${encodeURIComponent("%' OR 1=1 --")}`)).items).toEqual([])
    expect(await surety.store().rows('SELECT count() AS n FROM spans')).toHaveLength(1)
  })

  test.each([
    '?timeZone=Mars/Olympus',
    `?timeZone=${encodeURIComponent("' OR 1=1")}`,
    '?timeZone=',
    '/pay-available?timeZone=x',
    '?condition=fine',
    '?limit=0',
    '?limit=100000',
    `?text=${'x'.repeat(201)}`,
    '/pay-available/history?group=nonsense',
    '/pay-available/history?from=2026-02-30T00:00:00Z',
    '/pay-available/ledger?to=2026-02-30T00:00:00Z',
    '/pay-available/ledger?from=-1h&to=-2h',
    '/pay-available/history?from=0001-01-01T00:00:00Z',
  ])('%s is refused', async (path) => {
    expect(await get(path, 400)).toMatchObject(refused)
  })

  test.each([
    'from=-999999d&to=-999990d',
    'from=9999-01-01T00:00:00Z&to=9999-12-31T00:00:00Z',
    'from=0001-01-01T00:00:00Z&to=0001-02-01T00:00:00Z',
  ])('%s, where nothing can be, is answered with nothing', async (range) => {
    expect(await get(`/pay-available/history?${range}`)).toMatchObject({ points: [], transitions: [] })
    expect(await get(`/pay-available/burn?${range}`)).toMatchObject({
      windows: [{ points: [] }, { points: [] }, { points: [] }],
    })
    expect(await get(`/pay-available/ledger?${range}`)).toMatchObject({
      spent: 0,
      items: [],
      attributedRatio: null,
    })
  })
})

test('2.7 without traffic no answer holds NaN, Infinity or undefined, and every figure is null or zero', async () => {
  for (const slo of ['pay-nobody', 'unknown-nobody'])
    for (const path of ['', '/history?from=-1h', '/burn?from=-1h', '/ledger']) {
      const reply = await fetch(`${surety.url}/api/v1/slos/${slo}${path}`)
      expect([slo, path, reply.status]).toEqual([slo, path, 200])
      expect(await reply.text()).not.toMatch(/NaN|Infinity|undefined/)
    }
  const [heard] = (await get<SloReply>('/pay-nobody')).items
  const [unknown] = (await get<SloReply>('/unknown-nobody')).items
  expect(heard?.window?.net).toMatchObject({ sliRatio: null, burnRate: null, total: 0 })
  expect(heard?.burnRates.find(({ windowSeconds }) => windowSeconds === 300)?.net).toMatchObject({
    kind: 'no-traffic',
    burnRate: null,
  })
  expect([heard?.budget, unknown?.budget, unknown?.pace]).toEqual([null, null, null])
  const burn = await get<SloBurnReply>(`/pay-nobody/burn?${THE_HOUR}&windows=5m`)
  expect(new Set(burn.windows[0]?.points.map(({ burnRate, coverage }) => `${burnRate} ${coverage}`))).toEqual(
    // The latter where all of it is excluded.
    new Set(['null 1', 'null null']),
  )
  expect(await get('/pay-nobody/ledger')).toMatchObject({
    spent: 0,
    spentRatio: null,
    attributedRatio: null,
    items: [],
  })
})

test('answers have a weak tag, which is not sent twice, and large ones are compressed', async () => {
  const whole = `${surety.url}/api/v1/slos/pay-available`
  const { headers } = await fetch(whole, { headers: { 'accept-encoding': 'gzip' } })
  expect([headers.get('content-encoding'), headers.get('content-type')]).toEqual([
    'gzip',
    'application/json; charset=utf-8',
  ])
  expect(headers.get('vary')).toMatch(/accept-encoding/i)
  expect(headers.get('etag')).toMatch(/^W\/"/)
  const plain = await fetch(whole, { headers: { 'accept-encoding': 'identity' } })
  expect(plain.headers.get('content-encoding')).toBeNull()
  // Of what does not change from one moment to the next.
  const day = `${surety.url}/api/v1/calendar?from=2026-10-01&to=2026-10-02`
  const tag = (await fetch(day)).headers.get('etag') ?? ''
  expect((await fetch(day, { headers: { 'if-none-match': tag } })).status).toBe(304)
})
