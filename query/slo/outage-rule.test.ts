import { expect, test } from 'vitest'
import { SloPlay } from '../../test/support/slo-play.ts'
import { workbook30d } from './burn-profiles.ts'
import { judgeOutage, OUTAGE_RULE, outageAtStart, type OutageSlice, type OutageState } from './outage-rule.ts'
import { sloPolicy } from './slo-policy.ts'

const STEP = 10_000
const slice = (
  number: number,
  good: number,
  total: number,
  given: Partial<OutageSlice> = {},
): OutageSlice => ({
  startMs: number * STEP,
  endMs: (number + 1) * STEP,
  good,
  total,
  isEvidence: true,
  isOpen: false,
  ...given,
})
const run = (...slices: readonly OutageSlice[]): OutageState =>
  slices.reduce((state, one) => judgeOutage(OUTAGE_RULE, state, one), outageAtStart(0))

test.each([
  { name: 'half failing is an outage', slices: [slice(0, 10, 20)], want: 'firing' },
  { name: 'less than half is not', slices: [slice(0, 11, 20)], want: 'inactive' },
  { name: 'too few events are no evidence', slices: [slice(0, 0, 19)], want: 'inactive' },
  {
    name: 'an unmeasured slice says nothing',
    slices: [slice(0, 0, 0, { isEvidence: false })],
    want: 'inactive',
  },
  { name: 'the open slice may begin it', slices: [slice(0, 10, 30, { isOpen: true })], want: 'firing' },
  {
    name: 'the open slice never ends it',
    slices: [slice(0, 0, 20), slice(1, 99, 99, { isOpen: true })],
    want: 'firing',
  },
  { name: 'a healthy slice ends it', slices: [slice(0, 0, 20), slice(1, 20, 20)], want: 'inactive' },
  {
    name: 'healthy slices of little traffic end it together',
    slices: [slice(0, 0, 20), slice(1, 8, 8), slice(2, 8, 8), slice(3, 8, 8)],
    want: 'inactive',
  },
  {
    name: 'a failing one between them begins the count anew',
    slices: [slice(0, 0, 20), slice(1, 15, 15), slice(2, 0, 2), slice(3, 8, 8)],
    want: 'firing',
  },
  {
    name: 'silence and no traffic do not end it',
    slices: [slice(0, 0, 20), slice(1, 0, 0, { isEvidence: false }), slice(2, 0, 0)],
    want: 'firing',
  },
])('$name', ({ slices, want }) => {
  expect(run(...slices).phase).toBe(want)
})

test('it begins with its first failing slice and is judged once per closed slice', () => {
  const fired = run(slice(6, 20, 20), slice(7, 3, 20))
  expect(fired).toEqual({ phase: 'firing', sinceMs: 7 * STEP, judgedToMs: 8 * STEP, healthyTotal: 0 })
  expect(judgeOutage(OUTAGE_RULE, fired, slice(7, 20, 20))).toBe(fired)
})

test('a total outage of a 99.9 % promise is told with the open slice, before any burn pair can fire', () => {
  const play = new SloPlay(
    sloPolicy({
      objective: 0.999,
      window: { kind: 'rolling', durationMs: 86_400_000 },
      stepMs: STEP,
      burn: { ...workbook30d, pairs: workbook30d.pairs.slice(0, 1) },
      outage: OUTAGE_RULE,
    }),
    0,
  )
  play.history(8640, { good: 300, total: 300 })
  play.judge()
  const transitions = play.judge({ open: { good: 0, total: 60, atMs: play.nowMs + 2000 } })
  expect(transitions.map(({ subject }) => subject)).toEqual(['outage', 'condition'])
  expect(play.sums.figures(0, { good: 0, total: 60 })?.net.total).toBe(8640 * 300 + 60)
  expect(play.state).toMatchObject({ condition: 'outage', outage: { sinceMs: play.nowMs } })
  expect(play.state.pairs[0]?.phase).toBe('inactive')
  // By burn alone it takes until 52 s of failures are counted: the sixth slice.
  play.steps(5, { good: 0, total: 300 })
  expect(play.state.pairs[0]?.phase).toBe('inactive')
  play.steps(1, { good: 0, total: 300 })
  expect(play.state.pairs[0]?.phase).toBe('firing')
})
