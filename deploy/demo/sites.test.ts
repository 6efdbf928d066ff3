import { afterEach, expect, test, vi } from 'vitest'
import { buildSites } from './sites.ts'

const FAILOVER_MS = 20_000

afterEach(() => void vi.useRealTimers())

test('a site that is down is tried until the failover, then nobody is sent there, until it is back', () => {
  vi.useFakeTimers()
  const rerouted: string[] = []
  const sites = buildSites(FAILOVER_MS, (site) => rerouted.push(site))
  expect(sites.set('sh-a', true, 5)).toBe(true)
  expect(sites.set('sh-a', true, 6)).toBe(false)
  expect([sites.isDown('sh-a'), sites.isRouted('sh-a'), sites.isDown('sh-b')]).toEqual([true, true, false])
  vi.advanceTimersByTime(FAILOVER_MS)
  expect(rerouted).toEqual(['sh-a'])
  expect(sites.isRouted('sh-a')).toBe(false)
  expect(sites.states()).toContainEqual({ site: 'sh-a', state: 'rerouted', since: 5 })
  expect(sites.set('sh-a', false, 9)).toBe(true)
  expect([sites.isDown('sh-a'), sites.isRouted('sh-a')]).toEqual([false, true])
})

test('a site that is back before the failover is never left', () => {
  vi.useFakeTimers()
  const rerouted: string[] = []
  const sites = buildSites(FAILOVER_MS, (site) => rerouted.push(site))
  sites.set('sh-b', true, 0)
  sites.set('sh-b', false, 1)
  vi.advanceTimersByTime(2 * FAILOVER_MS)
  expect(rerouted).toEqual([])
})
