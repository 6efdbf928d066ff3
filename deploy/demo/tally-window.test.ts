import { expect, test } from 'vitest'
import { buildTallyWindow } from './tally-window.ts'

const one = { requests: 1, rejects: 0, failures: 1 }

test('the last minute is summed and older seconds are forgotten', () => {
  const window = buildTallyWindow()
  window.add(1_000, one)
  window.add(1_500, one)
  window.add(30_000, one)
  expect(window.sum(30_000)).toEqual({ requests: 3, rejects: 0, failures: 3 })
  expect(window.sum(60_999)).toEqual({ requests: 3, rejects: 0, failures: 3 })
  expect(window.sum(61_000)).toEqual({ requests: 1, rejects: 0, failures: 1 })
})

test('a slot used again starts from nothing', () => {
  const window = buildTallyWindow()
  window.add(1_000, one)
  window.add(61_000, one)
  expect(window.sum(61_000).requests).toBe(1)
})
