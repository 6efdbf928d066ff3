import { expect, test } from 'vitest'
import { bucketsOf, expIncreases, type ExpPoint } from './exp-histogram.ts'

const point = (given: Partial<ExpPoint>): ExpPoint => ({
  id: 's',
  at: 1000,
  started: 0,
  count: 3,
  sum: 6,
  scale: 0,
  zeroCount: 0,
  posOffset: 0,
  pos: [1, 2],
  negOffset: 0,
  neg: [],
  ...given,
})
const grown = (points: ExpPoint[], isDelta = false) =>
  expIncreases(points, isDelta, 500).map(({ count, pos }) => ({ count, pos: Object.fromEntries(pos) }))

test('the first point of a series that began earlier adds nothing', () => {
  expect(grown([point({})])).toEqual([])
})

test('the first point of a series that began within the range counts whole', () => {
  expect(grown([point({ started: 600 })])).toEqual([{ count: 3, pos: { 0: 1, 1: 2 } }])
})

test('a later point adds what it has more', () => {
  expect(grown([point({}), point({ at: 2000, count: 5, pos: [2, 3] })])).toEqual([
    { count: 2, pos: { 0: 1, 1: 1 } },
  ])
})

test('points of different scales meet at the coarser one', () => {
  const [increase] = grown([
    point({ scale: 1, posOffset: 0, pos: [1, 1, 1] }),
    point({ at: 2000, count: 4, pos: [2, 2] }),
  ])
  expect(increase).toEqual({ count: 1, pos: { 0: 0, 1: 1 } })
})

test.each([
  { name: 'a smaller count', given: { count: 2, pos: [0, 2] } },
  { name: 'a start after the point before', given: { count: 9, pos: [4, 5], started: 1500 } },
])('$name is a reset: the point counts whole', ({ given }) => {
  expect(grown([point({}), point({ at: 2000, ...given })])[0]?.count).toBe(given.count)
})

test('increases are taken as they are', () => {
  expect(grown([point({}), point({ at: 2000 })], true)).toHaveLength(2)
})

test('buckets are powers of the base, negative ones mirrored, zeros at zero', () => {
  const [increase] = expIncreases(
    [point({ scale: -1, posOffset: 1, pos: [7], negOffset: 0, neg: [2], zeroCount: 4 })],
    true,
    0,
  )
  expect(increase === undefined ? [] : bucketsOf(increase)).toEqual([
    { from: -4, to: -1, count: 2, isExponential: true },
    { from: 0, to: 0, count: 4 },
    { from: 4, to: 16, count: 7, isExponential: true },
  ])
})
