import { expect, test } from 'vitest'
import { isAsUsual, isSlower } from './deviation.ts'

test('as usual again is at most twice the usual', () => {
  expect(isAsUsual(1000, 20, 0.01)).toBe(true)
  expect(isAsUsual(1000, 21, 0.01)).toBe(false)
  expect(isAsUsual(1000, 5, 0)).toBe(true)
  expect(isAsUsual(1000, 6, 0)).toBe(false)
})

test('slower is half as long again in every minute, and by what somebody feels', () => {
  expect(isSlower([300e6, 200e6, 160e6], 100e6, 3)).toBe(true)
  expect(isSlower([300e6, 200e6, 140e6], 100e6, 3)).toBe(false)
  expect(isSlower([300e6, 200e6], 100e6, 3)).toBe(false)
  expect(isSlower([30e6, 30e6, 30e6], 15e6, 3)).toBe(false)
  expect(isSlower([300e6, 300e6, 300e6], 0, 3)).toBe(false)
})
