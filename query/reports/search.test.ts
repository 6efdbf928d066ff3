import { describe, expect, test } from 'vitest'
import { searchConditions, searchSteps } from './search.ts'

const HOUR_MS = 3_600_000
const NOW_MS = Date.UTC(2026, 10, 20, 12)

describe('a search goes back in longer and longer steps that leave nothing out', () => {
  test.each([
    { name: 'half a minute is one step', hours: 1 / 120, steps: 1 },
    { name: 'five minutes take two', hours: 1 / 12, steps: 2 },
    { name: 'an hour takes three', hours: 1, steps: 3 },
    { name: 'a day takes five', hours: 24, steps: 5 },
    { name: 'a month takes five', hours: 744, steps: 5 },
  ])('$name', ({ hours, steps }) => {
    const range = { fromMs: NOW_MS - hours * HOUR_MS, toMs: NOW_MS }
    const found = searchSteps(range)
    expect(found).toHaveLength(steps)
    expect(found[0]?.toMs).toBe(range.toMs)
    expect(found.at(-1)?.fromMs).toBe(range.fromMs)
    for (const [index, step] of found.entries()) {
      expect(step.fromMs).toBeLessThan(step.toMs)
      if (index > 0) expect(step.toMs).toBe(found[index - 1]?.fromMs)
    }
  })
})

describe('what is asked becomes conditions, and every value binds', () => {
  const hostile = `x') OR 1 = 1 --\n\nDROP TABLE spans`
  const conditions = (key: string, searchKeys: readonly string[] = []) =>
    searchConditions({ attributes: [{ key, value: hostile }] }, searchKeys)

  test('nothing asked is no condition', () => {
    expect(searchConditions({ attributes: [] }, ['user.id'])).toEqual({ first: [], sql: [], bindings: {} })
  })

  test.each([
    { name: 'a transaction number', key: 'bank.txn.id', first: ['txn_id = {v0:String}'], sql: [] },
    { name: 'an attribute with a column', key: 'bank.teller', first: [], sql: ['teller = {v0:String}'] },
    {
      name: 'an attribute with a filter',
      key: 'user.id',
      first: ['has(search_items, sipHash64({k0:String}, {v0:String}))'],
      sql: ['has(attr_k, {k0:String}) AND attr_v[indexOf(attr_k, {k0:String})] = {v0:String}'],
    },
  ])('$name', ({ key, first, sql }) => {
    const made = conditions(key, ['user.id'])
    expect(made.first).toEqual(first)
    expect(made.sql).toEqual(sql)
    expect(made.bindings['v0']).toBe(hostile)
  })

  test('no text of the question stands in the statement', () => {
    const made = searchConditions(
      {
        service: hostile,
        operation: hostile,
        version: hostile,
        channel: hostile,
        attributes: [{ key: hostile, value: hostile }],
      },
      [],
    )
    expect(made.sql.join(' ')).not.toContain('DROP')
    expect(Object.values(made.bindings).filter((value) => value === hostile)).toHaveLength(6)
  })

  test('durations are nanoseconds, both ends inclusive', () => {
    const { bindings } = searchConditions(
      { attributes: [], minDurationMs: 0.0000015, maxDurationMs: 2.5 },
      [],
    )
    expect(bindings).toEqual({ minNs: 2, maxNs: 2_500_000 })
  })
})
