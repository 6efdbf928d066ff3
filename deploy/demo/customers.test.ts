import { describe, expect, test } from 'vitest'
import { CLIENT_VERSIONS } from './client-versions.ts'
import { buildPopulation, nextOrder, type Order } from './customers.ts'
import { buildRandom, logNormal, placeOf } from './random.ts'

const noon = Date.parse('2026-03-04T12:00:00+08:00')

function orders(seed: number, count: number): readonly Order[] {
  const random = buildRandom(seed)
  const population = buildPopulation(random)
  return Array.from({ length: count }, (_, index) => nextOrder(population, random, noon, `TX${index}`))
}

describe('the people of the bank', () => {
  const given = orders(7, 4000)

  test('one seed gives the same orders twice, another seed gives others', () => {
    expect(orders(7, 50)).toEqual(given.slice(0, 50))
    expect(orders(8, 50)).not.toEqual(given.slice(0, 50))
  })

  test('counter orders carry branch and teller, mobile orders neither', () => {
    for (const order of given) {
      const counter = order.entry === 'counter-bff'
      expect('x-bank-branch' in order.headers).toBe(counter)
      expect('x-bank-teller' in order.headers).toBe(counter)
    }
  })

  test('each channel has its own client versions, in their shares; a branch has one', () => {
    for (const channel of ['mobile', 'counter'] as const) {
      const ofChannel = given.filter(({ headers }) => headers['x-bank-channel'] === channel)
      const versions = ofChannel.map(({ headers }) => headers['x-bank-client-version'] ?? '')
      const known = CLIENT_VERSIONS[channel]
      expect([...new Set(versions)].sort()).toEqual(known.map(({ version }) => version).sort())
      for (const { version, share } of known) {
        const seen = versions.filter((one) => one === version).length / versions.length
        // Twelve branches are few to share out; phones are many.
        expect(Math.abs(seen - share)).toBeLessThan(channel === 'mobile' ? 0.05 : 0.25)
      }
    }
    const ofBranch = new Map<string, Set<string>>()
    for (const { headers } of given) {
      const { 'x-bank-branch': branch, 'x-bank-client-version': version = '' } = headers
      if (branch !== undefined) ofBranch.set(branch, (ofBranch.get(branch) ?? new Set()).add(version))
    }
    expect([...ofBranch.values()].every((versions) => versions.size === 1)).toBe(true)
  })

  test('every branch has traffic, and each branch one region', () => {
    const regions = new Map<string, Set<string>>()
    for (const { headers } of given) {
      const { 'x-bank-branch': branch, 'x-bank-region': region } = headers
      if (branch === undefined || region === undefined) continue
      regions.set(branch, (regions.get(branch) ?? new Set()).add(region))
    }
    expect(regions.size).toBe(12)
    expect([...regions.values()].every((seen) => seen.size === 1)).toBe(true)
    expect([...(regions.get('0531-01') ?? [])]).toEqual(['east'])
  })

  test('transfers are the larger part and half of them stay below 600 yuan', () => {
    const amounts = given.flatMap(({ body }) =>
      typeof body?.['amount'] === 'number' ? [body['amount']] : [],
    )
    expect(amounts.length / given.length).toBeCloseTo(0.6, 1)
    expect(amounts.filter((amount) => amount < 600).length / amounts.length).toBeCloseTo(0.5, 1)
  })
})

describe('randomness', () => {
  test('stays in [0, 1) and spreads evenly', () => {
    const random = buildRandom(3)
    const draws = Array.from({ length: 20_000 }, () => random())
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...draws)).toBeLessThan(1)
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(0.5, 1)
  })

  test('places of similar texts lie apart', () => {
    const places = Array.from({ length: 10_000 }, (_, index) => placeOf(`TX${index}`))
    const buckets = Array.from(
      { length: 10 },
      (_, bucket) => places.filter((place) => Math.floor(place * 10) === bucket).length,
    )
    expect(Math.min(...buckets)).toBeGreaterThan(900)
    expect(Math.max(...buckets)).toBeLessThan(1100)
  })

  test('a log-normal draw has the median it was asked for', () => {
    const random = buildRandom(5)
    const draws = Array.from({ length: 20_000 }, () => logNormal(random, 20, 0.4)).sort((a, b) => a - b)
    expect(draws[10_000]).toBeGreaterThan(19)
    expect(draws[10_000]).toBeLessThan(21)
  })
})
