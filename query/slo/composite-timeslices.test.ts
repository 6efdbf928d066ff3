import { describe, expect, test } from 'vitest'
import { random } from '../../test/support/otlp.ts'
import { workbook30d } from './burn-profiles.ts'
import { CompositeTimeslices, judgedTimeSlices, type Timeslices } from './composite-timeslices.ts'
import { countWindow } from './count-window.ts'
import { evaluate } from './evaluate.ts'
import { EMPTY, emptyColumns, MEASURED, UNMEASURED, type SliceColumns } from './slices.ts'
import { compilePolicy, sloPolicy } from './slo-policy.ts'
import { stateAtStart } from './slo-state.ts'
import { WindowSums } from './window-sums.ts'

const MINUTE = 60_000
/** Minutes of a time slice. */
const STEPS = 5
const timeslices = (timeSliceTarget: number): Timeslices => ({
  method: 'Timeslices',
  timeSliceMs: STEPS * MINUTE,
  timeSliceTarget,
  emptySlices: 'good',
})
const slo = compilePolicy(
  sloPolicy({
    objective: 0.99,
    window: { kind: 'rolling', durationMs: 600 * MINUTE },
    burn: { ...workbook30d, pairs: workbook30d.pairs.slice(0, 1) },
    budgeting: timeslices(0.9),
  }),
)
const HEAD = 1000
const HELD = 120

/** Parts with targets of their own, a store of all that they ever had, and the composite. */
function begin(targets: readonly number[]) {
  const parts = targets.map((target) => ({
    budgeting: timeslices(target),
    all: emptyColumns(MINUTE, 0, 4000),
    sums: new WindowSums({
      stepMs: MINUTE,
      budgeting: timeslices(target),
      windows: slo.windows,
      hotSlices: HELD,
      head: HEAD,
    }),
  }))
  const whole = new CompositeTimeslices(slo, parts)
  const slice = (columns: SliceColumns, from: number, to: number): SliceColumns => ({
    stepMs: MINUTE,
    from,
    good: columns.good.slice(from, to),
    total: columns.total.slice(from, to),
    state: columns.state.slice(from, to),
    revision: columns.revision.slice(from, to),
  })
  let revision = 1
  return {
    parts,
    whole,
    set: (part: number, at: number, good: number, total: number, state: number) => {
      const { all, sums } = parts[part] as (typeof parts)[number]
      all.good[at] = good
      all.total[at] = total
      all.state[at] = state
      sums.put(at, good, total, state, revision++)
    },
    load: () => {
      for (const { sums, all } of parts) sums.load(slice(all, 0, sums.head), sums.head)
      whole.load(parts.map(({ all, sums }) => slice(all, 0, sums.head)))
    },
    step: () => {
      for (const { window, from } of whole.sums.wantedTails(1)) {
        const range = whole.stepsOf({ from, to: from + 30 })
        whole.sums.fillTail(window, whole.combine(parts.map(({ all }) => slice(all, range.from, range.to))))
      }
      for (const { sums } of parts) sums.advanceTo(sums.head + 1)
    },
    /** Counted anew: a time slice is bad when it is bad for any part. */
    counted: (window: number) => {
      const { from, to } = whole.sums.bounds(window)
      const judged = parts.map(({ all, budgeting }) =>
        judgedTimeSlices(slice(all, from * STEPS, to * STEPS), budgeting),
      )
      const columns = emptyColumns(STEPS * MINUTE, from, to - from)
      for (const [index] of columns.total.entries()) {
        const states = judged.map(({ state }) => state[index])
        const isBad = judged.some(({ state, good }) => state[index] === MEASURED && good[index] === 0)
        if (isBad) columns.state[index] = MEASURED
        else if (states.includes(UNMEASURED)) columns.state[index] = UNMEASURED
        else columns.state[index] = states.includes(MEASURED) ? MEASURED : EMPTY
        columns.total[index] = Number(columns.state[index] === MEASURED)
        columns.good[index] = Number(columns.state[index] === MEASURED && !isBad)
      }
      return countWindow(
        columns,
        { method: 'Timeslices', timeSliceMs: STEPS * MINUTE, timeSliceTarget: 1, emptySlices: 'good' },
        { from, to },
      )
    },
  }
}

describe('1.9 a composite of Timeslices', () => {
  test('loses a slice once when several parts are bad in it, and each part has its own target', () => {
    const { set, load, whole } = begin([0.9, 0.99])
    for (let at = 0; at < HEAD; at++) for (const part of [0, 1]) set(part, at, 1000, 1000, MEASURED)
    // The first time slice of the window: both bad; the second: 95 %, which only the second part takes for bad; the third: only
    // the first is bad.
    const from = HEAD - 600
    for (let minute = 0; minute < STEPS; minute++) {
      set(0, from + minute, 0, 1000, MEASURED)
      set(1, from + minute, 0, 1000, MEASURED)
      set(0, from + STEPS + minute, 950, 1000, MEASURED)
      set(1, from + STEPS + minute, 950, 1000, MEASURED)
      set(0, from + 2 * STEPS + minute, 0, 1000, MEASURED)
    }
    load()
    expect(whole.sums.figures(0)?.net).toEqual({ good: 117, total: 120, known: 120, empty: 0, expected: 120 })
  })

  test.each([1, 2, 3])(
    'has sums that are those of counting anew, whatever comes late or anew (seed %s)',
    (seed) => {
      const { parts, set, load, step, counted, whole } = begin([0.9, 0.5, 0.99])
      const next = random(seed)
      const draw = (part: number, at: number) => {
        const kind = next()
        if (kind < 0.05) set(part, at, 0, 0, UNMEASURED)
        else if (kind < 0.15) set(part, at, 0, 0, EMPTY)
        else set(part, at, next() < 0.15 ? Math.floor(next() * 100) : 100, 100, MEASURED)
      }
      for (let at = 0; at < HEAD; at++) for (const part of parts.keys()) draw(part, at)
      load()
      for (let cycle = 0; cycle < 900; cycle++) {
        step()
        const head = parts[0]?.sums.head ?? 0
        for (const part of parts.keys()) {
          draw(part, head - 1)
          if (next() < 0.3) draw(part, head - 1 - Math.floor(next() * 60))
        }
        whole.sync()
        if (cycle % 37 !== 0) continue
        const windows = [...slo.windows.keys()]
        expect(windows.map((window) => whole.sums.figures(window))).toEqual(windows.map(counted))
      }
    },
  )

  test('burns, and is frozen when a part is silent', () => {
    const { parts, set, load, step, whole } = begin([0.9, 0.9])
    for (let at = 0; at < HEAD; at++) for (const part of [0, 1]) set(part, at, 10, 10, MEASURED)
    load()
    let state = stateAtStart(1, HEAD * MINUTE)
    const pass = (first: number | undefined, second: number) => {
      step()
      const at = (parts[0]?.sums.head ?? 0) - 1
      if (first !== undefined) set(0, at, first, 10, MEASURED)
      set(1, at, second, 10, MEASURED)
      whole.sync()
      state = evaluate(slo, state, whole.observe(slo, state)).state
    }
    for (let minute = 0; minute < STEPS; minute++) pass(10, 10)
    expect(state.condition).toBe('healthy')
    for (let minute = 0; minute < 30; minute++) pass(minute % 10 < 5 ? 0 : 10, minute % 10 < 5 ? 10 : 0)
    // Alternately, so that all of the time some part was bad.
    expect(state).toMatchObject({ condition: 'burning-fast', isFrozen: false })
    for (let minute = 0; minute < 20; minute++) pass(undefined, 10)
    expect(state).toMatchObject({ condition: 'burning-fast', isFrozen: true })
    expect(state.silence.phase).toBe('silent')
  })

  test('is refused with time slices of different lengths', () => {
    const { parts } = begin([0.9, 0.9])
    const [first, second] = parts
    if (first === undefined || second === undefined) throw new Error('no parts')
    const other = { ...second, budgeting: { ...second.budgeting, timeSliceMs: 10 * MINUTE } }
    expect(() => new CompositeTimeslices(slo, [first, other])).toThrow('time slices of one length')
    expect(() => new CompositeTimeslices(slo, [])).toThrow('at least one part')
  })
})
