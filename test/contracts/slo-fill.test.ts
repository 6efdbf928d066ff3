// Sums brought to what the store knows, in the middle of a promise's life: right at once, and right while time goes on and slices
// leave their windows. The oracle counts every window anew from all slices.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Book } from '../../alerts/loop/book.ts'
import { feed } from '../../alerts/loop/feed.ts'
import { fillPages, fillTracks } from '../../alerts/loop/fill.ts'
import { buildTrack, excludeAhead, judge, type Track } from '../../alerts/loop/track.ts'
import type { Store } from '../../ingest/store/store.ts'
import { writeSlices } from '../../query/measure/slice-store.ts'
import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import type { Judged, Slo } from '../../query/promises/slos.ts'
import { workbook30d } from '../../query/slo/burn-profiles.ts'
import {
  CompositeTimeslices,
  judgedTimeSlices,
  type Timeslices,
} from '../../query/slo/composite-timeslices.ts'
import { countWindow } from '../../query/slo/count-window.ts'
import { excludedSlices, expandExclusions, type Exclusion } from '../../query/slo/exclusion.ts'
import type { Budgeting, SloWindow } from '../../query/slo/model.ts'
import { emptyColumns, MEASURED, type SliceColumns } from '../../query/slo/slices.ts'
import { compilePolicy, sloPolicy } from '../../query/slo/slo-policy.ts'
import { stateAtStart } from '../../query/slo/slo-state.ts'
import { openTestStore } from '../support/empty-data.ts'
import { random } from '../support/otlp.ts'
import { present } from '../support/present.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** Twenty minutes into a month; four days of slices before, three of them of the month before. */
const BEGIN = Date.UTC(2026, 5, 27)
const HEAD = Date.UTC(2026, 6, 1, 0, 20)
const AFTER_MINUTES = 150
const month: SloWindow = {
  kind: 'calendar',
  unit: 'month',
  count: 1,
  timeZone: 'UTC',
  start: '2026-01-01 00:00:00',
}
const rolling: SloWindow = { kind: 'rolling', durationMs: 2 * DAY }
const timeslices = (timeSliceTarget: number): Timeslices => ({
  method: 'Timeslices',
  timeSliceMs: 5 * MINUTE,
  timeSliceTarget,
  emptySlices: 'good',
})

const folder = mkdtempSync(join(tmpdir(), 'surety-fill-'))
let store: Store
const SERIES = ['a', 'b'] as const
const all = SERIES.map((series, index) => history(series, index + 1))

function history(series: string, seed: number): readonly MeasuredSlice[] {
  const next = random(seed)
  const minutes = (HEAD - BEGIN) / MINUTE + AFTER_MINUTES
  return Array.from({ length: minutes }, (_, minute) => {
    const isKnown = next() > 0.03
    const total = isKnown && next() > 0.02 ? 1000 + Math.floor(next() * 9000) : 0
    return {
      series,
      group: '',
      startSecond: BEGIN / 1000 + minute * 60,
      stepSeconds: 60,
      good: total - Math.floor(next() * next() * next() * total),
      total,
      isKnown,
    }
  })
}

beforeAll(async () => {
  store = await openTestStore(folder)
  for (const [index, slices] of all.entries()) {
    const before = slices.filter(({ startSecond, isKnown }) => startSecond * 1000 < HEAD && isKnown)
    await writeSlices(store, before, HEAD, `fill/${index}`)
  }
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const EXCLUDED: readonly Exclusion[] = [
  {
    id: 'x',
    reason: 'work',
    approver: 'wang',
    ticket: 'CHG-1',
    enteredAtMs: HEAD,
    kind: 'once',
    fromMs: HEAD - 26 * 60 * MINUTE,
    toMs: HEAD - 25 * 60 * MINUTE,
  },
]

function trackOf(window: SloWindow, parts: readonly Budgeting[], exclusions: readonly Exclusion[]): Track {
  const [budgeting = { method: 'Occurrences' } as const] = parts
  const compiled = compilePolicy(sloPolicy({ objective: 0.95, window, burn: workbook30d, budgeting }))
  const judged: Judged = {
    objective: 0,
    displayName: '',
    compiled,
    parts: parts.map((own, index) => ({
      series: SERIES[index] ?? '',
      weight: 1,
      budgetRatio: 0.05,
      budgeting: own,
    })),
    isComposite: parts.length > 1,
    probe: undefined,
  }
  const slo = {
    id: 1,
    name: 'one',
    generation: 1,
    stepMs: MINUTE,
    exclusions,
    judged: [judged],
    definition: { window },
  }
  return buildTrack(slo as unknown as Slo, judged, '', HEAD / MINUTE, stateAtStart(1, HEAD))
}

/** All slices of a series before a head, as columns. */
function columnsOf(slices: readonly MeasuredSlice[], head: number): SliceColumns {
  const from = BEGIN / MINUTE
  const columns = emptyColumns(MINUTE, from, head - from)
  for (const [index, { good, total, isKnown }] of slices.slice(0, head - from).entries()) {
    columns.good[index] = good
    columns.total[index] = total
    columns.state[index] = isKnown ? (total > 0 ? MEASURED : 1) : 0
  }
  return columns
}

/** What every window holds, and what it should. */
function windowsOf(track: Track, excluded: readonly { from: number; to: number }[]) {
  const sums = track.whole?.sums ?? present(track.parts[0]).sums
  const head = present(track.parts[0]).sums.head
  const budgetings = track.judged.parts.map(({ budgeting }) => budgeting)
  const own = all.slice(0, budgetings.length).map((slices) => columnsOf(slices, head))
  return sums.windows.map((_, window) => {
    const counted =
      track.whole === undefined
        ? countWindow(present(own[0]), present(budgetings[0]), sums.bounds(window), excluded)
        : countWindow(
            unionOf(own.map((columns, index) => judgedTimeSlices(columns, budgetings[index] as Timeslices))),
            timeslices(1),
            sums.bounds(window),
            excluded.map(({ from, to }) => ({ from: Math.floor(from / 5), to: Math.ceil(to / 5) })),
          )
    const { net, gross } = present(sums.figures(window))
    return { is: { net, gross }, should: { net: counted.net, gross: counted.gross } }
  })
}

/** A time slice is bad when any part is; unknown when any is, and none bad. */
function unionOf(parts: readonly SliceColumns[]): SliceColumns {
  const [first] = parts
  const whole = structuredClone(present(first))
  for (const [index] of whole.total.entries()) {
    const states = parts.map(({ state }) => state[index])
    const isBad = parts.some(({ good, total }) => (good[index] ?? 0) < (total[index] ?? 0))
    whole.state[index] = isBad ? MEASURED : states.includes(0) ? 0 : Math.max(...states.map(Number))
    whole.total[index] = Number(whole.state[index] === MEASURED)
    whole.good[index] = Number(whole.state[index] === MEASURED && !isBad)
  }
  return whole
}

describe('8.13 sums that begin anew from the store', () => {
  test.each<[string, SloWindow, readonly Budgeting[]]>([
    ['events of a rolling window', rolling, [{ method: 'Occurrences' }]],
    ['events of a month that has just begun', month, [{ method: 'Occurrences' }]],
    ['time slices of a rolling window', rolling, [timeslices(0.9)]],
    ['time slices of a month that has just begun', month, [timeslices(0.9)]],
    [
      'ratios of a month that has just begun',
      month,
      [{ method: 'RatioTimeslices', timeSliceMs: 5 * MINUTE }],
    ],
    ['a composite of time slices', rolling, [timeslices(0.9), timeslices(0.8)]],
    ['a composite of time slices in a month that has just begun', month, [timeslices(0.9), timeslices(0.8)]],
  ])('%s: every window is as counted anew, then and while slices leave', async (_, window, parts) => {
    for (const exclusions of [[], EXCLUDED]) {
      const track = trackOf(window, parts, exclusions)
      const book = new Book()
      book.add(track)
      await fillTracks(store, [track])
      const { stretches } = expandExclusions(exclusions, BEGIN, HEAD + DAY)
      const excluded = excludedSlices(stretches, MINUTE)
      const check = () => {
        for (const { is, should } of windowsOf(track, excluded)) expect(is).toEqual(should)
      }
      check()
      for (let minute = 0; minute < AFTER_MINUTES; minute++) {
        const head = HEAD / MINUTE + minute + 1
        for (const { sums } of track.parts) sums.advanceTo(head)
        for (const slices of all.slice(0, parts.length))
          feed(book, present(slices[head - 1 - BEGIN / MINUTE]), minute + 1)
        const { state } = judge(track)
        track.state = state
        excludeAhead(track)
        await fillPages(store, [track])
        if (minute % 20 === 4) check()
      }
      check()
      expect(track.whole instanceof CompositeTimeslices).toBe(parts.length > 1)
    }
  })
})
