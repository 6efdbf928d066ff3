import { describe, expect, test } from 'vitest'
import { random } from '../../test/support/otlp.ts'
import { EMPTY, emptyColumns, MEASURED, mergeNewest, UNMEASURED, type SliceRow } from './slices.ts'

const row = (slice: number, good: number, total: number, revision: number, isKnown = true): SliceRow => ({
  startMs: slice * 60_000,
  good,
  total,
  revision,
  isKnown,
})

test('slices are measured, measured and empty, or unmeasured', () => {
  const columns = emptyColumns(60_000, 10, 3)
  expect(mergeNewest(columns, [row(10, 4, 5, 1), row(11, 0, 0, 1), row(99, 1, 1, 1)])).toEqual({
    taken: 2,
    outdated: 0,
    outside: 1,
  })
  expect([...columns.state]).toEqual([MEASURED, EMPTY, UNMEASURED])
})

test('a newer measuring may take back what was known', () => {
  const columns = emptyColumns(60_000, 10, 1)
  mergeNewest(columns, [row(10, 4, 5, 1), row(10, 0, 0, 2, false)])
  expect([columns.state[0], columns.total[0]]).toEqual([UNMEASURED, 0])
})

describe('8.6 late and repeated rows', () => {
  test('whatever the order and however often, the newest revisions stay, bit for bit', () => {
    const next = random(31)
    const pick = (below: number) => Math.floor(next() * below)
    for (let round = 0; round < 200; round++) {
      const rows = Array.from({ length: 60 }, () => {
        const total = pick(20)
        return row(pick(8), pick(total + 1), total, pick(4), pick(6) > 0)
      })
      const shuffled = [...rows, ...rows.filter(() => pick(2) === 0)]
        .map((one) => ({ one, key: next() }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ one }) => one)
      const [inOrder, late] = [rows, shuffled].map((some) => {
        const columns = emptyColumns(60_000, 0, 8)
        mergeNewest(columns, some)
        return columns
      })
      expect(late).toEqual(inOrder)
    }
  })

  test('the same batch again changes nothing', () => {
    const rows = [row(0, 4, 5, 3), row(1, 5, 5, 3)]
    const columns = emptyColumns(60_000, 0, 2)
    mergeNewest(columns, rows)
    expect(mergeNewest(columns, rows)).toEqual({ taken: 0, outdated: 2, outside: 0 })
  })
})

test.each([
  ['off the grid', { ...row(0, 1, 1, 1), startMs: 30_000 }],
  ['more good', row(0, 2, 1, 1)],
  ['whole numbers', row(0, 0.5, 1, 1)],
  ['whole numbers', row(0, 1, 2 ** 32, 1)],
  ['revision', row(0, 1, 1, -1)],
])('an impossible row is refused: %s', (why, wrong) => {
  expect(() => mergeNewest(emptyColumns(60_000, 0, 1), [wrong])).toThrow(why)
})
