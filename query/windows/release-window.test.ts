import { describe, expect, test } from 'vitest'
import { iso } from '../time-range.ts'
import { makeRelease } from '../../test/support/verdict-traffic.ts'
import type { ReleaseVerdict } from '../http/release-schemas.ts'
import type { KeptVerdict } from '../verdicts/verdict-store.ts'
import { ReleaseOrderSpec } from '../registry/kinds/release-order.ts'
import { orderProgress, type OrderProgress } from '../releases/order-progress.ts'
import type { OrderStanding } from '../releases/orders.ts'
import type { Release } from '../releases/release.ts'
import { windowOf, windowPlan, windowsIn } from './release-window.ts'
import { nightOrders, nightWithin } from './night-orders.ts'
import { windowVerdict } from './window-verdict.ts'

const plan = windowPlan('22:00-06:00', '07:30', 'Asia/Shanghai')

describe('windows', () => {
  test('a night lies on two days, its hour on the second', () => {
    const window = windowOf(plan, '2026-11-20')
    expect(window && [iso(window.fromMs), iso(window.toMs), iso(window.verdictAtMs)]).toEqual([
      '2026-11-20T14:00:00.000Z',
      '2026-11-20T22:00:00.000Z',
      '2026-11-20T23:30:00.000Z',
    ])
  })

  test('one of a single day, and an hour that is meant for the day after', () => {
    const window = windowOf(windowPlan('01:00-05:00', '00:30', 'UTC'), '2026-11-20')
    expect(window && [iso(window.toMs), iso(window.verdictAtMs)]).toEqual([
      '2026-11-20T05:00:00.000Z',
      '2026-11-21T00:30:00.000Z',
    ])
  })

  test('a clock change makes a night longer or shorter, and none is left out', () => {
    const berlin = windowPlan('22:00-06:00', '07:30', 'Europe/Berlin')
    const range = { fromMs: Date.parse('2026-10-24T00:00:00Z'), toMs: Date.parse('2026-10-26T23:00:00Z') }
    const hours = windowsIn(berlin, range).map(({ fromMs, toMs }) => (toMs - fromMs) / 3_600_000)
    expect(hours).toEqual([9, 8, 8])
  })

  test.each(['2026-02-30', 'tonight'])('%s is no night', (id) => {
    expect(windowOf(plan, id)).toBeUndefined()
  })
})

const verdict = (word: ReleaseVerdict['verdict'], more: Partial<ReleaseVerdict> = {}): ReleaseVerdict => ({
  release: 'r',
  decidedAt: '2026-11-20T20:00:00.000Z',
  verdict: word,
  fault: word === 'worse' ? 'technical' : null,
  headline: { en: 'e', zh: 'z' },
  errorRate: 0.01,
  exposedRequests: 1,
  controlRequests: 1,
  requestsMissing: null,
  minutesMissing: null,
  measures: [],
  override: null,
  ...more,
})
const kept = (
  id: string,
  system: string | undefined,
  said: ReleaseVerdict,
  release: Partial<Release> = {},
): KeptVerdict => ({
  release: makeRelease({ id, service: id, ...release }),
  verdict: said,
  effect: undefined,
  nextAtMs: undefined,
  system,
  team: undefined,
  vendor: undefined,
  revision: 0,
})
const window = windowOf(plan, '2026-11-20')

describe('the verdict on a night', () => {
  const judge = (...given: readonly KeptVerdict[]) => {
    if (window === undefined) throw new Error('no window')
    return windowVerdict(window, plan.timeZone, given)
  }
  const person = {
    verdict: 'not-worse',
    reason: 'known noise',
    by: 'wang',
    at: '2026-11-20T21:00:00.000Z',
  } as const
  test.each([
    { name: 'nothing was released', given: [], want: 'go', reason: 'Nothing was released in this window.' },
    {
      name: 'nothing is worse',
      given: [kept('a', 's', verdict('not-worse'))],
      want: 'go',
      reason: 'No release of this window is worse than what served before.',
    },
    {
      name: 'one is worse, technically',
      given: [kept('a', 's', verdict('worse')), kept('b', 't', verdict('not-worse'))],
      want: 'roll-back',
      reason: 's: roll back a 1.1.',
    },
    {
      name: 'one is worse for business: a person decides',
      given: [kept('a', 's', verdict('worse', { fault: 'business' }))],
      want: 'watch',
      reason: 's: a person decides about a 1.1 (business fault).',
    },
    {
      name: 'one cannot be told',
      given: [kept('a', 's', verdict('cannot-tell'))],
      want: 'watch',
      reason: 's: cannot tell yet: a 1.1.',
    },
    {
      name: 'what was worse is taken back',
      given: [kept('a', undefined, verdict('worse'), { state: 'rolled_back' })],
      want: 'go',
      reason: 'No release of this window is worse than what served before.',
    },
    {
      name: 'a person says otherwise',
      given: [kept('a', 's', verdict('worse', { override: person }))],
      want: 'go',
      reason: 'No release of this window is worse than what served before.',
    },
    {
      name: 'a person calls one worse',
      given: [kept('a', 's', verdict('not-worse', { override: { ...person, verdict: 'worse' } }))],
      want: 'roll-back',
      reason: 's: roll back a 1.1.',
    },
  ])('$name', ({ given, want, reason }) => {
    const said = judge(...given)
    expect(said).toMatchObject({ verdict: want, id: '2026-11-20' })
    expect(said.reasons.map(({ en }) => en)).toEqual([reason])
    for (const { zh } of said.reasons) expect(zh).toMatch(/[一-鿿]/)
  })

  test('is the same in whatever order releases come', () => {
    const given = [
      kept('b', 't', verdict('worse')),
      kept('a', 's', verdict('cannot-tell')),
      kept('c', 's', verdict('worse')),
    ]
    expect(judge(...given)).toEqual(judge(...given.toReversed()))
    expect(judge(...given).reasons.map(({ en }) => en)).toEqual([
      's: roll back c 1.1; cannot tell yet: a 1.1.',
      't: roll back b 1.1.',
    ])
  })
})

describe('release orders of the night', () => {
  const order = (
    more: Partial<OrderProgress> = {},
    hours = { from: '14:00', to: '18:00' },
  ): OrderStanding => {
    const spec = ReleaseOrderSpec.parse({
      window: { from: `2026-11-20T${hours.from}:00Z`, to: `2026-11-20T${hours.to}:00Z` },
      items: [
        { service: 'limit', version: '2.0', system: 's' },
        { service: 'points', version: '3.1' },
      ],
    })
    const [planned] = orderProgress([{ name: 'po-1', spec }], [], {
      nowMs: Date.parse('2026-11-21T00:00:00Z'),
      systems: new Set(['s']),
      namesOf: () => [],
    })
    if (planned === undefined) throw new Error('no progress')
    return { order: { name: 'po-1', spec }, progress: { ...planned, ...more }, systems: ['s', ''] }
  }
  const judge = (orders: readonly OrderStanding[], ...given: readonly KeptVerdict[]) => {
    if (window === undefined) throw new Error('no window')
    return windowVerdict(window, plan.timeZone, given, nightOrders(orders, window))
  }

  test('what is missing stands in the line of its system, with its order, and is to be watched', () => {
    const night = judge([order()], kept('a', 's', verdict('not-worse')))
    expect(night.verdict).toBe('watch')
    expect(night.lines.map(({ system, verdict: word, missing }) => [system, word, missing])).toEqual([
      ['', 'watch', [{ order: 'po-1', name: 'points 3.1' }]],
      ['s', 'watch', [{ order: 'po-1', name: 'limit 2.0' }]],
    ])
    expect(night.lines[1]?.text).toEqual({
      en: 's: planned and not seen: limit 2.0 (order po-1); 1 not worse.',
      zh: 's：计划内未投产：limit 2.0（发布单 po-1）；1 个未变差。',
    })
  })

  test('what no order planned is told in the line that its verdict stands in', () => {
    const release = makeRelease({ id: 'a', service: 'a', system: 'old-name', readyAtMs: window?.fromMs })
    const night = judge([order({ items: [], extra: [release] })], kept('a', 's', verdict('not-worse')))
    expect(night.lines).toMatchObject([
      { system: 's', verdict: 'watch', missing: [], extra: [{ order: 'po-1', name: 'a 1.1', release: 'a' }] },
    ])
    expect(night.lines[0]?.text.zh).toBe('s：计划外投产：a 1.1（发布单 po-1）；1 个未变差。')
  })

  test('orders of other nights are not its own', () => {
    expect(judge([order({}, { from: '01:00', to: '02:00' })]).lines).toEqual([])
  })

  test('whoever may read one system reads nothing of the others', () => {
    if (window === undefined) throw new Error('no window')
    const all = nightOrders([order()], window)
    expect(nightWithin(all, (system) => system === 's').missing).toEqual([
      { order: 'po-1', system: 's', name: 'limit 2.0' },
    ])
  })
})
