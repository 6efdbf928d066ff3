// When series of slices were down in a range that goes on: what is settled is read once in a while, the newest hours each time.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { EVENT_SCALE } from '../measure/question.ts'
import { OUTAGE_RULE } from '../slo/outage-rule.ts'
import type { SliceRange } from '../slo/slice-ranges.ts'

export type DownSeries = {
  readonly knownSlices: number
  /** s since epoch; undefined when nothing is known. */
  readonly firstSecond: number | undefined
  /** [from, to), s since epoch, apart from one another. */
  readonly down: readonly SliceRange[]
}

export type DownQuestion = {
  readonly series: readonly string[]
  readonly stepSeconds: number
  readonly fromSecond: number
  readonly toSecond: number
}

export type AskDown = (question: DownQuestion) => Promise<ReadonlyMap<string, DownSeries>>

const count = z.coerce.number()
const downSlices = statement(
  new URL('./down-slices.sql', import.meta.url),
  z.object({
    series: z.array(z.string()),
    step: z.number().int(),
    from: z.number().int(),
    to: z.number().int(),
    failing_percent: z.number().int(),
    events_min: z.number().int(),
  }),
  z.object({
    series: z.string(),
    known: count,
    first: count,
    down_from: z.array(count),
    down_to: z.array(count),
  }),
)

/** One statement. @throws StoreError */
export async function readDown(
  store: Pick<Store, 'ask'>,
  { series, stepSeconds, fromSecond, toSecond }: DownQuestion,
): Promise<ReadonlyMap<string, DownSeries>> {
  if (series.length === 0 || toSecond <= fromSecond) return new Map()
  const rows = await store.ask(
    downSlices,
    {
      series: [...series],
      step: stepSeconds,
      from: fromSecond,
      to: toSecond,
      failing_percent: OUTAGE_RULE.failingRatio * 100,
      events_min: OUTAGE_RULE.totalMin * EVENT_SCALE,
    },
    { lane: 'heavy', secondsMax: 120 },
  )
  return new Map(
    rows.map((row) => [
      row.series,
      {
        knownSlices: row.known,
        firstSecond: row.known > 0 ? row.first : undefined,
        down: row.down_from.map((from, place) => ({ from, to: row.down_to[place] ?? from })),
      },
    ]),
  )
}

/** Slices may change for an hour, by what comes late. */
const SETTLED_SECONDS = 7200
/** History that is still being measured, and corrections, are seen after this. */
const AGAIN_MS = 600_000
const KEPT_MAX = 16

type Kept = {
  readonly toSecond: number
  readonly readAtMs: number
  readonly rows: ReadonlyMap<string, DownSeries>
}

/**
 * A year of ten-second slices is millions: the settled part is kept for ten minutes and read anew behind an answer that did not wait.
 * @returns the same as `readDown`
 */
export function buildAskDown(store: Pick<Store, 'ask'>, now: () => number): AskDown {
  const kept = new Map<string, Kept>()
  const reading = new Map<string, Promise<Kept>>()
  function read(key: string, question: DownQuestion): Promise<Kept> {
    const known = reading.get(key)
    if (known !== undefined) return known
    const work = (async () => {
      const rows = await readDown(store, question)
      const one = { toSecond: question.toSecond, readAtMs: now(), rows }
      kept.delete(key)
      kept.set(key, one)
      for (const oldest of [...kept.keys()].slice(0, -KEPT_MAX)) kept.delete(oldest)
      return one
    })().finally(() => reading.delete(key))
    reading.set(key, work)
    return work
  }
  return async (question) => {
    const settled = Math.floor((question.toSecond - SETTLED_SECONDS) / 3600) * 3600
    if (settled <= question.fromSecond) return readDown(store, question)
    const key = JSON.stringify([question.series.toSorted(), question.stepSeconds, question.fromSecond])
    const head = { ...question, toSecond: settled }
    let past = kept.get(key)
    // A shorter range than the kept one is of the past: it is read by itself.
    if (past !== undefined && past.toSecond > question.toSecond) return readDown(store, question)
    // What fails behind an answer is told by the next one that has to wait for it.
    if (past !== undefined && now() - past.readAtMs > AGAIN_MS) void read(key, head).catch(() => undefined)
    past ??= await read(key, head)
    const tail = await readDown(store, { ...question, fromSecond: past.toSecond })
    return joined(past.rows, tail)
  }
}

function joined(
  past: ReadonlyMap<string, DownSeries>,
  tail: ReadonlyMap<string, DownSeries>,
): ReadonlyMap<string, DownSeries> {
  const all = new Map(past)
  for (const [series, one] of tail) {
    const before = past.get(series)
    all.set(series, {
      knownSlices: (before?.knownSlices ?? 0) + one.knownSlices,
      firstSecond: before?.firstSecond ?? one.firstSecond,
      down: [...(before?.down ?? []), ...one.down],
    })
  }
  return all
}
