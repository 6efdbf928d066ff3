import { expect, test } from 'vitest'
import { random } from '../../test/support/otlp.ts'
import { compare, exact, minus, over, plus, times, toNumber } from './exact-decimal.ts'

test.each([
  { name: 'a decimal', value: 0.999, want: [999n, 1000n] },
  { name: 'a whole number', value: 12, want: [12n, 1n] },
  { name: 'a small number in powers', value: 1e-7, want: [1n, 10_000_000n] },
  { name: 'a large number in powers', value: 1e21, want: [10n ** 21n, 1n] },
  { name: 'a negative text', value: '-0.50', want: [-1n, 2n] },
])('$name is read by its decimal form', ({ value, want }) => {
  const { above, below } = exact(value)
  expect([above, below]).toEqual(want)
})

test.each([Number.NaN, Infinity, '', '1,5', '0x10', '1e9999'])('%s is no decimal number', (value) => {
  expect(() => exact(value)).toThrow('not a decimal number')
})

test('every double comes back as itself', () => {
  const next = random(7)
  for (let round = 0; round < 2000; round++) {
    const value = (next() - 0.5) * 10 ** Math.floor(next() * 40 - 20)
    expect(toNumber(exact(value))).toBe(value)
  }
})

test('a fraction of large parts is rounded to the nearest double', () => {
  expect(toNumber({ above: 2n ** 200n + 1n, below: 2n ** 200n })).toBe(1)
  expect(toNumber({ above: 10n ** 40n, below: 3n * 10n ** 39n })).toBe(10 / 3)
})

test('arithmetic is exact', () => {
  expect(toNumber(plus(exact(0.1), exact(0.2)))).toBe(0.3)
  expect(toNumber(minus(exact(1), exact(0.999)))).toBe(0.001)
  expect(toNumber(times(exact(14.4), exact(0.001)))).toBe(0.0144)
  expect(toNumber(over(exact(1), exact(3)))).toBe(1 / 3)
  expect(compare(exact(0.3), plus(exact(0.1), exact(0.2)))).toBe(0)
  expect(() => over(exact(1), exact(0))).toThrow('division by zero')
})
