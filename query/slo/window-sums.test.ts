import { describe, expect, test } from 'vitest'
import { present } from '../../test/support/present.ts'
import { random } from '../../test/support/otlp.ts'
import type { Budgeting } from './budgeting.ts'
import { countWindow } from './count-window.ts'
import type { SliceRange } from './slice-ranges.ts'
import { EMPTY, emptyColumns, MEASURED, mergeNewest, UNMEASURED, type SliceColumns } from './slices.ts'
import { windowAt, type SloWindow } from './slo-window.ts'
import { WindowSums } from './window-sums.ts'

const MINUTE = 60_000
const rolling = (minutes: number): SloWindow => ({ kind: 'rolling', durationMs: minutes * MINUTE })
const day: SloWindow = {
  kind: 'calendar',
  unit: 'day',
  count: 1,
  timeZone: 'America/New_York',
  start: undefined,
}
const occurrences: Budgeting = { method: 'Occurrences' }
const timeslices: Budgeting = {
  method: 'Timeslices',
  timeSliceMs: 5 * MINUTE,
  timeSliceTarget: 0.9,
  emptySlices: 'good',
}
const ratioTimeslices: Budgeting = { method: 'RatioTimeslices', timeSliceMs: 5 * MINUTE }

/** A store of all slices beside the sums, so that they can be counted anew. */
class Pair {
  readonly sums: WindowSums
  readonly all: SliceColumns
  readonly budgeting: Budgeting
  excluded: readonly SliceRange[] = []

  constructor(
    windows: readonly SloWindow[],
    budgeting: Budgeting,
    hotSlices: number,
    head: number,
    total: number,
  ) {
    this.budgeting = budgeting
    this.sums = new WindowSums({ stepMs: MINUTE, budgeting, windows, hotSlices, head })
    this.all = emptyColumns(MINUTE, head, total)
  }

  advance(): void {
    for (const { window, from, to } of this.sums.wantedTails(1))
      this.sums.fillTail(window, this.part(from, to))
    this.sums.advanceTo(this.sums.head + 1)
  }

  put(slice: number, good: number, total: number, revision: number): string {
    const isKnown = total >= 0
    const outcome = this.sums.put(
      slice,
      Math.max(0, good),
      Math.max(0, total),
      !isKnown ? UNMEASURED : total === 0 ? EMPTY : MEASURED,
      revision,
    )
    if (outcome === 'taken')
      mergeNewest(this.all, [
        { startMs: slice * MINUTE, good: Math.max(0, good), total: Math.max(0, total), revision, isKnown },
      ])
    return outcome
  }

  part(from: number, to: number): SliceColumns {
    const columns = emptyColumns(MINUTE, from, to - from)
    for (let slice = Math.max(from, this.all.from); slice < to; slice++) {
      const at = slice - this.all.from
      columns.good[slice - from] = this.all.good[at] ?? 0
      columns.total[slice - from] = this.all.total[at] ?? 0
      columns.state[slice - from] = this.all.state[at] ?? 0
      columns.revision[slice - from] = this.all.revision[at] ?? 0
    }
    return columns
  }

  exclude(ranges: readonly SliceRange[]): void {
    this.excluded = ranges
    const missing = this.sums.setExclusions(ranges)
    const cold = missing.map(({ from, to }) => this.part(from, to))
    if (missing.length > 0 && this.sums.setExclusions(ranges, cold).length > 0)
      throw new Error('what was asked for was not enough')
  }

  /** Figures of every window, running and counted anew. */
  both(): readonly [unknown, unknown] {
    const places = [...this.sums.windows.keys()]
    return [
      places.map((place) => this.sums.figures(place)),
      places.map((place) => {
        const window = present(this.sums.windows[place])
        const range = this.sums.bounds(place)
        const endMs = window.kind === 'calendar' ? windowAt(window, range.to * MINUTE - 1).toMs : undefined
        return countWindow(this.all, this.budgeting, range, this.excluded, endMs)
      }),
    ]
  }
}

function expectEqual(pair: Pair): void {
  const [running, counted] = pair.both()
  expect(running).toEqual(counted)
}

// The day before the clocks change in New York, so that a calendar day of 23 hours is among the windows.
const START = Date.UTC(2026, 2, 7) / MINUTE

describe.each([
  ['Occurrences', occurrences],
  ['Timeslices', timeslices],
  ['RatioTimeslices', ratioTimeslices],
])('running sums by %s equal an exact recount', (_name, budgeting) => {
  test.each([1, 2, 3])(
    'through advancing, late and repeated slices, exclusions of the past: seed %s',
    (seed) => {
      const next = random(seed)
      const pick = (below: number) => Math.floor(next() * below)
      // 90 slices are held: windows as long as that, and just longer, are among them.
      const lengths = [5, 30, 90, 95, 100, 120, 400, 1200]
      const windows = [day, ...lengths.map(rolling)]
      const pair = new Pair(windows, budgeting, 90, START, 6000)
      for (let round = 0; round < 3000; round++) {
        if (pick(4) < 3) pair.advance()
        for (let measured = pick(4); measured > 0; measured--) {
          const total = pick(5) === 0 ? pick(3) - 1 : pick(1000)
          const slice = pair.sums.head - 1 - (pick(3) === 0 ? pick(80) : 0)
          if (slice >= START)
            pair.put(slice, total - (pick(3) === 0 ? pick(Math.max(1, total)) : 0), total, pick(5))
        }
        if (pick(100) === 0)
          pair.exclude(
            Array.from({ length: pick(5) }, () => {
              const from = pair.sums.head - pick(1500)
              return { from, to: from + pick(200) }
            }),
          )
        if (pick(20) === 0) expectEqual(pair)
      }
      expectEqual(pair)
    },
  )
})

test('8.6 a late batch within the allowance gives the sums of the run in order, bit for bit; repeated, it changes nothing', () => {
  const windows = [rolling(5), rolling(60), rolling(1200)]
  const late = new Pair(windows, occurrences, 60, START, 2000)
  const inOrder = new Pair(windows, occurrences, 60, START, 2000)
  const counts = (slice: number) => [(slice * 7) % 50, 50 + (slice % 13)] as const
  for (let slice = START; slice < START + 500; slice++) {
    for (const pair of [late, inOrder]) pair.advance()
    inOrder.put(slice, ...counts(slice), 1)
    const isLate = slice >= START + 480 && slice < START + 490
    if (!isLate) late.put(slice, ...counts(slice), 1)
  }
  expect(late.sums.figures(1)).not.toEqual(inOrder.sums.figures(1))
  for (let slice = START + 480; slice < START + 490; slice++)
    expect(late.put(slice, ...counts(slice), 1)).toBe('taken')
  for (const place of windows.keys()) expect(late.sums.figures(place)).toEqual(inOrder.sums.figures(place))
  for (let slice = START + 480; slice < START + 490; slice++)
    expect(late.put(slice, ...counts(slice), 1)).toBe('outdated')
  for (const place of windows.keys()) expect(late.sums.figures(place)).toEqual(inOrder.sums.figures(place))
})

test('8.9 a slice that has not begun is not counted', () => {
  const pair = new Pair([rolling(5)], occurrences, 60, START, 10)
  pair.advance()
  expect(pair.put(START + 5, 1, 1, 1)).toBe('ahead')
  expect(pair.sums.figures(0)?.gross.total).toBe(0)
})

describe('figures with and without exclusions', () => {
  test('are both kept, also when the exclusion is told afterwards and its slices are held no longer', () => {
    const pair = new Pair([rolling(1000)], occurrences, 60, START, 2000)
    for (let slice = START; slice < START + 900; slice++) {
      pair.advance()
      pair.put(slice, slice >= START + 100 && slice < START + 160 ? 0 : 10, 10, 1)
    }
    pair.exclude([{ from: START + 100, to: START + 160 }])
    const { gross, net } = present(pair.sums.figures(0))
    expect(gross).toEqual({ good: 8400, total: 9000, known: 900, empty: 0, expected: 1000 })
    expect(net).toEqual({ good: 8400, total: 8400, known: 840, empty: 0, expected: 940 })
    pair.exclude([])
    expect(pair.sums.figures(0)?.net).toEqual(gross)
  })

  test('change nothing until all slices that are needed are at hand', () => {
    const pair = new Pair([rolling(1000)], occurrences, 60, START, 2000)
    for (let slice = START; slice < START + 900; slice++) {
      pair.advance()
      pair.put(slice, 10, 10, 1)
    }
    const before = pair.sums.figures(0)
    expect(pair.sums.setExclusions([{ from: START + 100, to: START + 160 }])).toEqual([
      { from: START + 100, to: START + 160 },
    ])
    expect(pair.sums.figures(0)).toEqual(before)
  })
})

test('a slice that leaves a long window without being at hand is not guessed: the window has no figures until mended', () => {
  const pair = new Pair([rolling(100)], occurrences, 30, START, 400)
  for (let slice = START; slice < START + 200; slice++) {
    if (slice < START + 150) pair.advance()
    else pair.sums.advanceTo(slice + 1)
    pair.put(slice, 10, 10, 1)
  }
  expect(pair.sums.figures(0)).toBeUndefined()
  const counted = countWindow(pair.all, occurrences, pair.sums.bounds(0))
  pair.sums.reload(0, { all: counted.gross, excluded: { good: 0, total: 0, known: 0, empty: 0 } })
  expectEqual(pair)
})

test('a start from stored slices, or from sums that the store made, goes on as if there had been none', () => {
  const windows = [day, rolling(5), rolling(60), rolling(1200)]
  const pair = new Pair(windows, occurrences, 90, START, 4000)
  pair.exclude([{ from: START + 700, to: START + 800 }])
  const fill = (one: Pair, from: number, to: number) => {
    for (let slice = from; slice < to; slice++) {
      one.advance()
      one.put(slice, slice % 7 === 0 ? 9 : 10, 10, 1)
    }
  }
  fill(pair, START, START + 1500)
  const restarted = new Pair(windows, occurrences, 90, START, 4000)
  restarted.exclude(pair.excluded)
  restarted.all.good.set(pair.all.good)
  restarted.all.total.set(pair.all.total)
  restarted.all.state.set(pair.all.state)
  restarted.all.revision.set(pair.all.revision)
  const fromSums = new Pair(windows, occurrences, 90, START, 4000)
  fromSums.exclude(pair.excluded)
  for (const column of ['good', 'total', 'state', 'revision'] as const)
    fromSums.all[column].set(pair.all[column])
  restarted.sums.load(pair.part(START, START + 1500), START + 1500)
  fromSums.sums.start(pair.part(START + 1400, START + 1500), START, START + 1500, (range) => {
    const { gross, net } = countWindow(pair.all, occurrences, range, pair.excluded)
    return {
      all: gross,
      excluded: {
        good: gross.good - net.good,
        total: gross.total - net.total,
        known: gross.known - net.known,
        empty: gross.empty - net.empty,
      },
    }
  })
  for (const one of [pair, restarted, fromSums]) {
    expectEqual(one)
    fill(one, START + 1500, START + 3000)
    expectEqual(one)
  }
})

test('an approved correction of slices that are held no longer reaches every window that has them', () => {
  const pair = new Pair([rolling(30), rolling(300)], occurrences, 30, START, 1000)
  for (let slice = START; slice < START + 400; slice++) {
    pair.advance()
    pair.put(slice, 10, 10, 1)
  }
  expect(pair.put(START + 200, 5, 10, 2)).toBe('cold')
  // One in the middle, and the one that leaves next, whose page is at hand already.
  for (const { window, from, to } of pair.sums.wantedTails(10))
    pair.sums.fillTail(window, pair.part(from, to))
  for (const slice of [START + 200, START + 100]) {
    const before = pair.part(slice, slice + 1)
    mergeNewest(pair.all, [{ startMs: slice * MINUTE, good: 5, total: 10, revision: 2, isKnown: true }])
    pair.sums.restate(before, pair.part(slice, slice + 1))
  }
  expectEqual(pair)
  for (let round = 0; round < 300; round++) pair.advance()
  expectEqual(pair)
})

test('1.6 the days around a change of the clocks hold as many slices as they have minutes', () => {
  const pair = new Pair([day], occurrences, 60, START, 5000)
  const lengths: number[] = []
  let from = pair.sums.bounds(0).from
  for (let round = 0; round < 4000; round++) {
    pair.advance()
    const bounds = pair.sums.bounds(0)
    if (bounds.from !== from) lengths.push(bounds.from - from)
    from = bounds.from
    expect(pair.sums.figures(0)?.gross.expected).toBe(bounds.to - bounds.from)
  }
  expect(lengths).toEqual([1440, 1440, 1380])
})
