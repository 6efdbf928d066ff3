import { expect, test } from 'vitest'
import { buildAllowance } from './allowance.ts'

function setUp(perSecond: number) {
  let now = 1_000_000
  const clock = { now: () => now }
  return { allowance: buildAllowance(perSecond, clock), pass: (ms: number) => (now += ms) }
}

test('one second of it may come at once, then it comes at its rate', () => {
  const { allowance, pass } = setUp(5)
  for (let request = 0; request < 5; request += 1) {
    expect(allowance.waitMs()).toBe(0)
    allowance.spend(1)
  }
  expect(allowance.waitMs()).toBe(200)
  pass(200)
  expect(allowance.waitMs()).toBe(0)
  pass(3_600_000)
  for (let request = 0; request < 5; request += 1) allowance.spend(1)
  expect(allowance.waitMs()).toBe(200)
})

test('less than one a second: one at once, the next after its time', () => {
  const { allowance, pass } = setUp(0.1)
  allowance.spend(1)
  expect(allowance.waitMs()).toBe(10_000)
  pass(9_999)
  expect(allowance.waitMs()).toBe(1)
  pass(1)
  expect(allowance.waitMs()).toBe(0)
})

test('a body above one second of bytes is taken and paid off afterwards', () => {
  const { allowance, pass } = setUp(1000)
  allowance.spend(5000)
  expect(allowance.waitMs()).toBe(4001)
  pass(4001)
  expect(allowance.waitMs()).toBe(0)
})

test('a clock that is set back gives nothing and never blocks for longer', () => {
  const { allowance, pass } = setUp(1)
  allowance.spend(1)
  pass(-60_000)
  expect(allowance.waitMs()).toBe(1000)
  pass(1000)
  expect(allowance.waitMs()).toBe(0)
})
