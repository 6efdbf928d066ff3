import { expect, test } from 'vitest'
import { ANYWHERE, episodeOf, faultIdOf, relatedServices, type Episode } from './alarm.ts'

const AT = Date.UTC(2026, 9, 1, 4)
const MINUTE = 60_000
const NOBODY = new Set<string>()
const alarm = (service: string, atMs = AT, measure: Episode['measure'] = 'errors') => ({
  place: { ...ANYWHERE, service },
  atMs,
  measure,
})
const episode = (id: string, service: string, more: Partial<Episode> = {}): Episode => ({
  id,
  service,
  measure: 'errors',
  alarmAtMs: AT,
  newestAlarmAtMs: AT,
  endedAtMs: undefined,
  ...more,
})

test('alarms of one service within half an hour of the newest are one fault', () => {
  const open = [episode('a', 'pay')]
  expect(episodeOf(alarm('pay', AT + 29 * MINUTE), open, NOBODY)?.id).toBe('a')
  expect(episodeOf(alarm('pay', AT + 31 * MINUTE), open, NOBODY)).toBeUndefined()
  const newer = [episode('a', 'pay', { newestAlarmAtMs: AT + 25 * MINUTE })]
  expect(episodeOf(alarm('pay', AT + 50 * MINUTE), newer, NOBODY)?.id).toBe('a')
  expect(episodeOf(alarm('card'), open, NOBODY)).toBeUndefined()
})

test('what rings again within five minutes of its end was not over', () => {
  const ended = [episode('a', 'pay', { endedAtMs: AT + 10 * MINUTE })]
  expect(episodeOf(alarm('pay', AT + 14 * MINUTE), ended, NOBODY)?.id).toBe('a')
  expect(episodeOf(alarm('pay', AT + 16 * MINUTE), ended, NOBODY)).toBeUndefined()
})

test('entry and root of one incident are one fault, later ones are others', () => {
  const open = [episode('a', 'ledger')]
  const related = new Set(['ledger'])
  expect(episodeOf(alarm('mobile', AT + 4 * MINUTE), open, related)?.id).toBe('a')
  expect(episodeOf(alarm('mobile', AT - 4 * MINUTE), open, related)?.id).toBe('a')
  expect(episodeOf(alarm('mobile', AT + 6 * MINUTE), open, related)).toBeUndefined()
})

test('of several the one of the same service, then the oldest, then by id', () => {
  const related = new Set(['ledger', 'pay'])
  const open = [episode('c', 'ledger'), episode('b', 'ledger'), episode('d', 'mobile')]
  expect(episodeOf(alarm('mobile'), open, related)?.id).toBe('d')
  expect(episodeOf(alarm('web'), open, related)?.id).toBe('b')
  expect(
    episodeOf(alarm('web'), [...open, episode('z', 'pay', { alarmAtMs: AT - MINUTE })], related)?.id,
  ).toBe('z')
})

test('related is who reaches and who is reached, not who has the same callee', () => {
  const calls = [
    ['mobile', 'pay'],
    ['counter', 'pay'],
    ['pay', 'ledger'],
    ['ledger', 'pay'],
    ['card', 'ledger'],
  ] as const
  expect([...relatedServices('mobile', calls)].toSorted()).toEqual(['ledger', 'pay'])
  expect([...relatedServices('ledger', calls)].toSorted()).toEqual(['card', 'counter', 'mobile', 'pay'])
  expect(relatedServices('fx', calls).size).toBe(0)
})

test('the same alarm begins the same fault', () => {
  expect(faultIdOf('external/1')).toMatch(/^f-[0-9a-f]{16}$/)
  expect(faultIdOf('external/1')).toBe(faultIdOf('external/1'))
  expect(faultIdOf('external/1')).not.toBe(faultIdOf('external/2'))
})

test('what is slow comes to what fails, and what fails is not hidden in what was slow', () => {
  const failing = [episode('a', 'pay')]
  const slow = [episode('b', 'pay', { measure: 'latency' })]
  expect(episodeOf(alarm('pay', AT + MINUTE, 'latency'), failing, NOBODY)?.id).toBe('a')
  expect(episodeOf(alarm('pay', AT + MINUTE, 'errors'), slow, NOBODY)).toBeUndefined()
  expect(episodeOf(alarm('pay', AT + MINUTE, 'errors'), [...slow, ...failing], NOBODY)?.id).toBe('a')
})
