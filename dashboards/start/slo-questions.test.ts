import { expect, test } from 'vitest'
import type { SloItem } from '../../query/http/slo-schemas.ts'
import { outageItem, sloItem } from '../../test/support/slo-items.ts'
import { buildApi } from '../api.ts'
import { askSlos, listEveryMs } from './slo-questions.ts'

/** An API that lists by name and says how much there is, as the real one does. */
function answering(all: readonly SloItem[]) {
  const asked: string[] = []
  const api = buildApi((url) => {
    const query = new URL(url as string, 'http://h').searchParams
    asked.push([...query].filter(([name]) => name !== 'timeZone').join(' '))
    const fitting = all.filter(
      ({ condition, slo }) =>
        [null, condition].includes(query.get('condition') as 'outage' | null) &&
        slo.includes(query.get('text') ?? ''),
    )
    const items = fitting.slice(0, Number(query.get('limit')))
    const counts = Object.fromEntries(
      [...Map.groupBy(fitting, ({ condition }) => condition)].map(([condition, { length }]) => [
        condition,
        length,
      ]),
    )
    const next = items.length < fitting.length ? 'more' : null
    return Promise.resolve(Response.json({ items, counts, unmeasured: [], next }))
  })
  return { api, asked }
}

const wish = { isAll: false, find: '', timeZone: 'UTC' }
const { signal } = new AbortController()
const many = (count: number) =>
  Array.from({ length: count }, (_, place) => sloItem({ slo: `slo-${String(place).padStart(4, '0')}` }, 0))

test('what fits into one answer is asked for once', async () => {
  const { api, asked } = answering(many(200))
  const list = await askSlos(api, wish, signal)
  expect([list.items.length, list.isWhole]).toEqual([200, true])
  expect(asked).toEqual(['limit,200'])
})

test('of more the worst are fetched, by condition, until there are enough', async () => {
  const { api, asked } = answering([...many(900), outageItem({ slo: 'z' }, 0)])
  const list = await askSlos(api, wish, signal)
  expect(list.items[0]?.slo).toBe('z')
  expect([list.items.length, list.isWhole, list.counts.healthy]).toEqual([200, false, 900])
  expect(asked).toEqual(['limit,200', 'limit,200 condition,outage', 'limit,199 condition,healthy'])
  expect(listEveryMs(list)).toBe(10_000)
})

test('beyond one large answer the filter is the API’s', async () => {
  const { api, asked } = answering(many(1200))
  const list = await askSlos(api, { ...wish, find: '1199' }, signal)
  expect(list.items.map(({ slo }) => slo)).toEqual(['slo-1199'])
  expect(list).toMatchObject({ isFound: true, isWhole: true })
  expect(asked).toEqual(['limit,1000', 'limit,1000 text,1199'])
})
