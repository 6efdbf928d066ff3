import { describe, expect, test } from 'vitest'
import { effectOf, hits, mayCorrupt, type Fault } from './faults.ts'
import { buildRandom } from './random.ts'

const fault: Fault = {
  id: 'F1',
  service: 'transfer',
  version: undefined,
  site: undefined,
  kind: 'errors',
  ratio: 1,
  latencyMs: undefined,
  since: 0,
}
const instance = { service: 'transfer', version: '2.14.0', site: 'sh-a' } as const

describe('whom a fault hits', () => {
  test.each<{ name: string; change: Partial<Fault>; want: boolean }>([
    { name: 'every instance of the service', change: {}, want: true },
    { name: 'its version', change: { version: '2.14.0' }, want: true },
    { name: 'not another version', change: { version: '2.13.4' }, want: false },
    { name: 'not another site', change: { site: 'sh-b' }, want: false },
    { name: 'not another service', change: { service: 'ledger' }, want: false },
  ])('$name', ({ change, want }) => {
    expect(hits({ ...fault, ...change }, instance)).toBe(want)
  })
})

describe('what a fault does', () => {
  test('hits its share of the requests', () => {
    const random = buildRandom(1)
    const failing = Array.from({ length: 10_000 }, () => effectOf([{ ...fault, ratio: 0.3 }], random).fails)
    expect(failing.filter(Boolean).length / failing.length).toBeCloseTo(0.3, 1)
  })

  test('delays add up and one failure is enough', () => {
    const slow: Fault = { ...fault, kind: 'latency', latencyMs: 200 }
    expect(effectOf([slow, slow, fault, { ...fault, kind: 'wrong-result' }], () => 0)).toEqual({
      delayMs: 400,
      fails: true,
      corrupts: true,
    })
  })

  test('no fault does nothing', () => {
    expect(effectOf([], () => 0)).toEqual({ delayMs: 0, fails: false, corrupts: false })
  })

  test('a channel cannot give wrong results, since no service reads them', () => {
    expect(mayCorrupt('mobile-bff')).toBe(false)
    expect(mayCorrupt('limit')).toBe(true)
  })
})
