import { describe, expect, test } from 'vitest'
import { outageItem, sloItem } from '../../test/support/slo-items.ts'
import { fitsFilter, foldGroups, worstBySystem } from './slo-order.ts'

const region = (value: string) => ({ group: { region: value }, groupKey: JSON.stringify([value]) })

describe('order', () => {
  test('worst condition first, then critical systems, then the smaller budget, then the name', () => {
    const budget = (remainingRatio: number) => ({
      unit: 'events' as const,
      allowed: 1,
      spent: 0,
      remaining: 0,
      remainingRatio,
      isEstimate: false,
    })
    const lines = foldGroups([
      sloItem({ slo: 'b' }),
      sloItem({ slo: 'unknown-budget', budget: null }),
      sloItem({ slo: 'a' }),
      sloItem({ slo: 'poor', budget: budget(0.1) }),
      sloItem({ slo: 'office', tier: 'office', budget: budget(0.1) }),
      sloItem({ slo: 'exhausted', condition: 'exhausted' }),
      sloItem({ slo: 'silent', condition: 'no-data', tier: null }),
      outageItem({ slo: 'down', tier: 'office' }),
      sloItem({ slo: 'burns', condition: 'burning-fast' }),
    ])
    expect(lines.map(({ worst }) => worst.slo)).toEqual([
      'down',
      'burns',
      'silent',
      'exhausted',
      'poor',
      'a',
      'b',
      'unknown-budget',
      'office',
    ])
  })

  test('groups fold under the worst of them, objectives do not', () => {
    const lines = foldGroups([
      sloItem({ slo: 'plain' }),
      sloItem({ slo: 'by-region', ...region('0531') }),
      outageItem({ slo: 'by-region', ...region('0755') }),
      sloItem({ slo: 'two', objective: 0 }),
      sloItem({ slo: 'two', objective: 1 }),
    ])
    expect(lines.map(({ worst, groups }) => [worst.slo, worst.objective, groups.length])).toEqual([
      ['by-region', 0, 2],
      ['plain', 0, 0],
      ['two', 0, 0],
      ['two', 1, 0],
    ])
    expect(lines[0]?.groups.map(({ group }) => group?.['region'])).toEqual(['0755', '0531'])
  })

  test('a condition that we do not know stands before the healthy ones', () => {
    const newer = sloItem({ slo: 'z', condition: 'melting' as 'outage' })
    expect(foldGroups([sloItem({ slo: 'a' }), newer]).map(({ worst }) => worst.slo)).toEqual(['z', 'a'])
  })
})

test.each([
  ['GATE', true],
  ['platform 0531', true],
  ['service-gateway', true],
  ['0531 teller', false],
])('the filter «%s» fits: %s', (filter, want) => {
  expect(fitsFilter(sloItem({ slo: 'gateway-availability', ...region('0531') }), filter)).toBe(want)
})

test('a system is as bad as the worst of its SLOs', () => {
  const found = worstBySystem([
    sloItem({ slo: 'a', system: 's' }),
    outageItem({ slo: 'b', system: 's' }),
    sloItem({ slo: 'c', system: 't' }),
    sloItem({ slo: 'd', system: null, condition: 'no-data' }),
  ])
  expect([...found]).toEqual([
    ['s', 'outage'],
    ['t', 'healthy'],
  ])
})
