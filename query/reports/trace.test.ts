import { expect, test } from 'vitest'
import { spansAround } from './trace.ts'

const MINUTE_MS = 60_000
const ROOT_MS = Date.UTC(2026, 10, 20, 12)
type Row = { readonly start_ns: bigint; readonly duration_ns: number; readonly kind: number }
const span = (afterMs: number, lastsMs: number, kind = 2): Row => ({
  start_ns: BigInt(ROOT_MS + afterMs) * 1_000_000n,
  duration_ns: lastsMs * 1e6,
  kind,
})

async function look(spans: readonly Row[]) {
  const ranges: [number, number][] = []
  const rows = await spansAround([ROOT_MS], (fromMs, toMs) => {
    ranges.push([(fromMs - ROOT_MS) / MINUTE_MS, (toMs - ROOT_MS) / MINUTE_MS])
    const startMs = ({ start_ns }: Row) => Number(start_ns) / 1e6
    return Promise.resolve(spans.filter((one) => startMs(one) >= fromMs && startMs(one) < toMs))
  })
  return { ranges, found: rows.length }
}

test('a trace of seconds is one look of ten minutes', async () => {
  expect(await look([span(0, 900), span(10, 500)])).toEqual({ ranges: [[-5, 5]], found: 2 })
})

test('a long one is followed as long as its spans last, each time looked at once', async () => {
  const job = [span(0, 30 * MINUTE_MS), span(29 * MINUTE_MS, 10 * MINUTE_MS), span(38 * MINUTE_MS, 1000)]
  expect(await look(job)).toEqual({
    ranges: [
      [-5, 5],
      [5, 35],
      [35, 44],
    ],
    found: 3,
  })
})

test('what was sent is waited for; a span without end is not followed beyond a day', async () => {
  const sent = await look([span(0, 10), span(5, 1, 4), span(50 * MINUTE_MS, 10, 5)])
  expect(sent.found).toBe(3)
  const endless = await look([span(0, 400 * 1440 * MINUTE_MS)])
  expect(endless.ranges.at(-1)?.[1]).toBe(1440)
})
