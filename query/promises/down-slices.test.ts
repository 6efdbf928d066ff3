import { expect, test } from 'vitest'
import type { Store } from '../../ingest/store/store.ts'
import { buildAskDown } from './down-slices.ts'

const HOUR = 3600
const AGAIN_MS = 600_000

type Asked = { readonly from: number; readonly to: number }

/** A series that was down in the first minute of every hour, known from the second hour on. */
function store(asked: Asked[]): Pick<Store, 'ask'> {
  const ask = (_: unknown, { from, to }: Asked) => {
    asked.push({ from, to })
    const hours = Array.from(
      { length: Math.ceil((to - from) / HOUR) },
      (_entry, index) => from + index * HOUR,
    )
    const known = Math.max(0, to - Math.max(from, HOUR)) / 60
    return Promise.resolve([
      {
        series: 'pay',
        known,
        first: Math.max(from, HOUR),
        down_from: hours.filter((hour) => hour >= HOUR),
        down_to: hours.filter((hour) => hour >= HOUR).map((hour) => hour + 60),
      },
    ])
  }
  return { ask: ask as unknown as Store['ask'] }
}

const question = (toSecond: number) => ({ series: ['pay'], stepSeconds: 60, fromSecond: 0, toSecond })

test('what is settled is read once, the newest hours each time, and together they are what one reading gives', async () => {
  const asked: Asked[] = []
  let nowMs = 0
  const ask = buildAskDown(store(asked), () => nowMs)
  const first = await ask(question(10 * HOUR))
  expect(asked).toEqual([
    { from: 0, to: 8 * HOUR },
    { from: 8 * HOUR, to: 10 * HOUR },
  ])
  expect(first.get('pay')).toEqual({
    knownSlices: 9 * 60,
    firstSecond: HOUR,
    down: Array.from({ length: 9 }, (_, index) => ({
      from: (index + 1) * HOUR,
      to: (index + 1) * HOUR + 60,
    })),
  })
  nowMs += AGAIN_MS
  await ask(question(10 * HOUR + 300))
  expect(asked.slice(2)).toEqual([{ from: 8 * HOUR, to: 10 * HOUR + 300 }])
})

test('after ten minutes the settled part is read again behind the answer', async () => {
  const asked: Asked[] = []
  let nowMs = 0
  const ask = buildAskDown(store(asked), () => nowMs)
  await ask(question(10 * HOUR))
  nowMs += AGAIN_MS + 1
  await ask(question(12 * HOUR))
  await ask(question(12 * HOUR))
  expect(asked.slice(2)).toEqual([
    { from: 0, to: 10 * HOUR },
    { from: 8 * HOUR, to: 12 * HOUR },
    { from: 10 * HOUR, to: 12 * HOUR },
  ])
})

test('a range that is young is read whole, and one that ends before what is kept by itself', async () => {
  const asked: Asked[] = []
  const ask = buildAskDown(store(asked), () => 0)
  await ask(question(HOUR))
  expect(asked).toEqual([{ from: 0, to: HOUR }])
  await ask(question(20 * HOUR))
  await ask(question(10 * HOUR))
  expect(asked.slice(-1)).toEqual([{ from: 0, to: 10 * HOUR }])
})
