import { describe, expect, test } from 'vitest'
import { conditionWords, pairWords, SloPlay, type Held } from '../../test/support/slo-play.ts'
import type { BurnProfile } from './burn-profile.ts'
import { workbook30d } from './burn-profiles.ts'
import { dueCycles } from './cycles.ts'
import { evaluate, type Measured } from './evaluate.ts'
import type { JudgedWindow } from './judge-window.ts'
import { observe } from './observe.ts'
import { checkPolicy, compilePolicy, sloPolicy, type SloPolicy } from './slo-policy.ts'
import { sloStatus } from './slo-status.ts'
import { stateAtStart, type SloState } from './slo-state.ts'
import { WindowSums } from './window-sums.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const NOON = Date.UTC(2026, 6, 1, 12)
const good: Held = { good: 1000, total: 1000 }
const half: Held = { good: 500, total: 1000 }

/** One page pair over a short SLO window, so that everything is known soon. */
const pageOnly: BurnProfile = { ...workbook30d, pairs: workbook30d.pairs.slice(0, 1) }
function policy(chosen: Partial<SloPolicy> = {}): SloPolicy {
  return sloPolicy({
    objective: 0.999,
    window: { kind: 'rolling', durationMs: DAY },
    burn: pageOnly,
    ...chosen,
  })
}

function started(chosen: Partial<SloPolicy> = {}): SloPlay {
  const play = new SloPlay(policy(chosen), NOON - DAY)
  play.history(1440, good)
  play.judge()
  return play
}

/** One cycle with windows made by hand. */
function observed(atMs: number, windows: readonly JudgedWindow[], given: Partial<Measured> = {}): Measured {
  return {
    kind: 'measured',
    atMs,
    windows,
    probe: undefined,
    remainingRatio: undefined,
    silentSlices: 0,
    slices: [],
    isExcludedNow: false,
    ...given,
  }
}

function known(bad: number, total: number): JudgedWindow {
  return { kind: 'known', errorRatio: bad / total, bad, total, coverage: 1 }
}

test('2.4 the short window back below clears within one short window and an evaluation, while the long one is above', () => {
  const play = started()
  play.steps(30, half)
  expect(play.state.condition).toBe('burning-fast')
  const before = play.nowMs
  play.steps(6, good)
  const resolved = play.transitions.find(({ subject, to }) => subject === 'pair' && to === 'inactive')
  expect((resolved?.atMs ?? 0) - before).toBeLessThanOrEqual(6 * MINUTE)
  expect(play.status().pairs[0]?.longBurnRate).toBeGreaterThan(14.4)
})

describe('2.5 error ratios at the threshold', () => {
  const slo = compilePolicy(policy())
  const threshold = 0.0144
  const above = threshold + 1e-12
  const window = (errorRatio: number): JudgedWindow => ({
    kind: 'known',
    errorRatio,
    bad: 144,
    total: 10_000,
    coverage: 1,
  })
  test.each([
    { name: 'exactly it in both windows does not fire', short: threshold, long: threshold, want: 'inactive' },
    { name: 'exactly it in the short window does not fire', short: threshold, long: above, want: 'inactive' },
    { name: 'exactly it in the long window does not fire', short: above, long: threshold, want: 'inactive' },
    { name: '1e-12 above it in both does', short: above, long: above, want: 'firing' },
  ])('$name', ({ short, long, want }) => {
    const windows = [known(0, 1), window(short), window(long)]
    const { state } = evaluate(slo, stateAtStart(1, NOON), observed(NOON + MINUTE, windows))
    expect(state.pairs[0]?.phase).toBe(want)
  })

  test('counts that make exactly the threshold are that very number', () => {
    expect(144 / 10_000).toBe(slo.pairs[0]?.thresholdRatio)
  })
})

test('guards keep an alert from beginning, and never end one', () => {
  const slo = compilePolicy(policy())
  const burning = (bad: number) => [known(0, 1), known(bad, 100), known(bad, 100)]
  const first = evaluate(slo, stateAtStart(1, NOON), observed(NOON + MINUTE, burning(2)))
  expect(first.state.pairs[0]).toMatchObject({ phase: 'inactive', hold: 'insufficient-events' })
  const fired = evaluate(slo, first.state, observed(NOON + 2 * MINUTE, burning(3)))
  expect(fired.state.pairs[0]?.phase).toBe('firing')
  const fewer = evaluate(slo, fired.state, observed(NOON + 3 * MINUTE, burning(2)))
  expect(fewer.state.pairs[0]).toMatchObject({ phase: 'firing', hold: 'none' })
  const thin = evaluate(
    slo,
    stateAtStart(1, NOON),
    observed(NOON + MINUTE, [known(0, 1), known(3, 19), known(3, 19)]),
  )
  expect(thin.state.pairs[0]).toMatchObject({ phase: 'inactive', hold: 'insufficient-events' })
})

describe('2.8 ten requests an hour, one of them failed, at 99.9 %', () => {
  const every6: (failed: readonly number[]) => (index: number) => Held = (failed) => (index) =>
    index % 6 === 5 ? { good: failed.includes(index) ? 0 : 1, total: 1 } : 'empty'
  const month = 30 * 1440
  function play(failed: readonly number[], chosen: Partial<SloPolicy> = {}): SloPlay {
    const one = new SloPlay(
      sloPolicy({
        objective: 0.999,
        window: { kind: 'rolling', durationMs: 30 * DAY },
        burn: workbook30d,
        ...chosen,
      }),
      NOON - 30 * DAY,
    )
    one.history(month, every6(failed))
    one.judge()
    return one
  }

  test('without guards all four pairs fire', () => {
    const one = play([month - 1], { guards: { minTotal: 0, minBad: 0 } })
    expect(one.state.pairs.map(({ id, phase }) => [id, phase])).toEqual([
      ['page-1h', 'firing'],
      ['page-6h', 'firing'],
      ['ticket-1d', 'firing'],
      ['ticket-3d', 'firing'],
    ])
    const ratios = one
      .status()
      .pairs.map(({ longBurnRate = 0 }) => Number((longBurnRate / 10).toPrecision(3)))
    expect(ratios).toEqual([10, 1.67, 0.417, 0.139])
  })

  test('with the default guards none fires, and the state says too few events', () => {
    const one = play([month - 1])
    expect(one.state.pairs.every(({ phase }) => phase === 'inactive')).toBe(true)
    expect(one.state.condition).toBe('insufficient-events')
  })

  test('three failures in half an hour page through the 6 h pair', () => {
    const one = play([month - 13, month - 7, month - 1])
    expect(one.state.pairs.filter(({ phase }) => phase === 'firing').map(({ id }) => id)).toContain('page-6h')
    expect(one.state.pairs.find(({ id }) => id === 'page-1h')).toMatchObject({
      phase: 'inactive',
      hold: 'insufficient-events',
    })
    expect(one.state.condition).toBe('burning-fast')
  })

  test('a probe pages where traffic is too thin', () => {
    const one = play([month - 1])
    const probe = new WindowSums({
      stepMs: MINUTE,
      budgeting: { method: 'Occurrences' },
      windows: one.slo.windows,
      hotSlices: 400,
      head: one.sums.head - 360,
    })
    for (let slice = one.sums.head - 360; slice < one.sums.head; slice++) {
      probe.advanceTo(slice + 1)
      probe.put(slice, slice < one.sums.head - 5 ? 1 : 0, 1, 2, 1)
    }
    one.pass('empty')
    probe.advanceTo(one.sums.head)
    probe.put(one.sums.head - 1, 0, 1, 2, 1)
    const fired = one.judge({ probe }).find(({ subject, to }) => subject === 'pair' && to === 'firing')
    expect(fired).toMatchObject({ id: 'page-1h', evidence: { by: 'probe' } })
    const [pair] = sloStatus(one.slo, one.sums, one.state, probe).pairs
    expect(pair).toMatchObject({ by: 'probe', phase: 'firing' })
    expect(pair?.shortBurnRate).toBeCloseTo(1000, 6)
  })
})

describe('8.1 telemetry stops while it fires', () => {
  test('it stays firing and frozen, without a resolve, and resolves only after a measured healthy short window', () => {
    const play = started()
    play.steps(20, half)
    expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: false })
    play.steps(30, 'unmeasured')
    expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: true })
    play.steps(4, good)
    expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: true })
    play.steps(1, good)
    expect(play.state.pairs[0]?.phase).toBe('inactive')
    const words = pairWords(play.transitions, 'page-1h').map((word) => word.slice(6))
    expect(words).toEqual(['firing', 'frozen', 'inactive'])
  })

  test('nor does it resolve because nobody asks any more', () => {
    const play = started()
    play.steps(20, half)
    play.steps(30, 'empty')
    expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: true })
    expect(play.state.pairs[0]?.hold).toBe('no-traffic')
  })
})

test('8.2 telemetry stops while healthy: no data within three slices and an evaluation, told once; burn is no figure, not 0', () => {
  const play = started()
  play.steps(5, good)
  const stopped = play.nowMs
  play.steps(30, 'unmeasured')
  const told = play.transitions.filter(({ subject }) => subject === 'silence')
  expect(told).toHaveLength(1)
  expect(told[0]).toMatchObject({ from: 'heard', to: 'silent' })
  expect((told[0]?.atMs ?? 0) - stopped).toBeLessThanOrEqual(4 * MINUTE)
  expect(play.state.condition).toBe('no-data')
  expect(play.status().pairs[0]?.shortBurnRate).toBeUndefined()
  play.steps(1, good)
  expect(play.transitions.findLast(({ subject }) => subject === 'silence')).toMatchObject({ to: 'heard' })
})

test('8.4 too little known of the month freezes the budget, while the page of the last hour is judged', () => {
  const play = new SloPlay(
    sloPolicy({ objective: 0.999, window: { kind: 'rolling', durationMs: 10 * DAY }, burn: workbook30d }),
    NOON - 10 * DAY,
  )
  // 11 % of ten days unknown, in the middle.
  play.history(14_400, (index) => (index >= 5000 && index < 5000 + 1584 ? 'unmeasured' : good))
  play.judge()
  expect(play.status().window?.net.coverage).toBe(0.89)
  expect(play.state.condition).toBe('no-data')
  expect(play.status().budget).toBeUndefined()
  play.steps(20, half)
  expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: false })
  expect(play.state.budget.phase).toBe('left')
})

test('8.10 a failing query is an error, not no data: told after three, with the last good value and its age', () => {
  const play = started()
  const goodAtMs = play.nowMs
  expect(play.fail(goodAtMs + MINUTE).map(({ subject }) => subject)).toEqual(['condition'])
  expect(play.state).toMatchObject({ condition: 'error', lastGood: { atMs: goodAtMs, remainingRatio: 1 } })
  play.fail(goodAtMs + 2 * MINUTE)
  expect(play.fail(goodAtMs + 3 * MINUTE)).toEqual([
    { atMs: goodAtMs + 3 * MINUTE, subject: 'measuring', from: 'works', to: 'fails' },
  ])
  expect(play.fail(goodAtMs + 4 * MINUTE)).toEqual([])
  expect(play.state.failures).toEqual({ count: 4, sinceMs: goodAtMs + MINUTE })
  play.steps(1, good)
  expect(play.state.condition).toBe('healthy')
  expect(play.transitions.some(({ subject, to }) => subject === 'measuring' && to === 'works')).toBe(true)
})

test('8.10 what fires stays when the query fails', () => {
  const play = started()
  play.steps(20, half)
  play.fail(play.nowMs + MINUTE)
  expect(play.state).toMatchObject({ condition: 'burning-fast', isFrozen: true })
  expect(play.state.pairs[0]).toMatchObject({ phase: 'firing', hold: 'error' })
})

test('8.12 a new SLO has no data until enough is known, and its history raises no alerts', () => {
  const play = new SloPlay(policy(), NOON)
  play.steps(3, good)
  expect(play.state.condition).toBe('no-data')
  // The day before is measured afterwards, with an outage in it that is long over.
  const from = NOON / MINUTE - 1437
  for (let slice = NOON / MINUTE - 1; slice >= from; slice--)
    play.set(slice, slice < from + 60 ? { good: 0, total: 1000 } : good)
  play.judge()
  play.steps(1, good)
  expect(play.status().window?.net.coverage).toBe(1)
  expect(play.state.condition).toBe('exhausted')
  expect(play.transitions.filter(({ subject }) => subject === 'pair')).toEqual([])
})

describe('8.13 the evaluator stands still for 20 minutes', () => {
  const day = (index: number): Held => (index >= 30 && index < 45 ? half : index === 50 ? 'unmeasured' : good)

  test('missed slices are judged in order with their true times, and everything is as if it had never stopped', () => {
    const running = started()
    const restarted = started()
    running.steps(80, day)
    restarted.steps(25, day)
    // Kept as JSON, slices in the store; nothing else survives.
    const kept = JSON.parse(JSON.stringify(restarted.state)) as SloState
    const atMs = restarted.nowMs
    const later = new SloPlay(policy(), atMs)
    later.sums.load(restarted.stored(), atMs / MINUTE)
    later.state = kept
    const { instantsMs, missed } = dueCycles(kept.judgedAtMs, atMs + 20 * MINUTE + 5000, MINUTE, 2000)
    expect([instantsMs.length, missed]).toEqual([20, 19])
    for (const [index, instantMs] of instantsMs.entries()) {
      later.step(day(25 + index))
      expect(later.nowMs).toBe(instantMs)
    }
    for (let index = 45; index < 80; index++) later.step(day(index))
    expect(later.state).toEqual(running.state)
    expect([...restarted.transitions, ...later.transitions]).toEqual(running.transitions)
    expect(
      running.transitions.filter(({ subject, to }) => subject === 'pair' && to === 'firing'),
    ).toHaveLength(1)
  })

  test('an instant that was judged before changes nothing', () => {
    const play = started()
    play.steps(20, half)
    const before = play.state
    expect(play.judge()).toEqual([])
    expect(play.state).toBe(before)
  })

  test('a state in which something is undefined survives being stored as JSON', () => {
    const fresh = stateAtStart(3, NOON)
    const slo = compilePolicy(policy())
    const windows = [known(1, 1000), known(1, 1000), known(1, 1000)]
    const stored = JSON.parse(JSON.stringify(fresh)) as SloState
    expect(evaluate(slo, stored, observed(NOON + MINUTE, windows))).toEqual(
      evaluate(slo, fresh, observed(NOON + MINUTE, windows)),
    )
  })
})

test('2.11 changing only the target judges the same slices by the new one, at once and with what fires', () => {
  const play = started()
  // 0.2 % fail: twice what 99.9 % allows, twenty times what 99.99 % does.
  play.steps(60, { good: 9980, total: 10_000 })
  expect(play.state.pairs[0]?.phase).toBe('inactive')
  const before = play.status()
  const strict = compilePolicy(policy({ objective: 0.9999 }))
  const after = sloStatus(strict, play.sums, play.state)
  // The very same slices, another budget.
  expect(after.window?.net.counts).toEqual(before.window?.net.counts)
  expect(before.budget?.allowed).toBeCloseTo(1_980_000 * 0.001, 6)
  expect(after.budget?.allowed).toBeCloseTo(1_980_000 * 0.0001, 6)
  expect(after.budget?.spent).toBe(before.budget?.spent)
  play.pass({ good: 9980, total: 10_000 })
  const judgedStrictly = evaluate(strict, play.state, observe(strict, play.sums, play.state))
  expect(judgedStrictly.state.pairs[0]?.phase).toBe('firing')
  const judgedAgain = evaluate(play.slo, judgedStrictly.state, {
    ...observe(play.slo, play.sums, judgedStrictly.state),
    atMs: play.nowMs + MINUTE,
  })
  expect(judgedAgain.state.pairs[0]?.phase).toBe('inactive')
})

describe('exclusions', () => {
  test('agreed time is not judged, and both figures are shown', () => {
    const play = started()
    const from = play.sums.head
    play.sums.setExclusions([{ from, to: from + 60 }])
    play.steps(60, { good: 0, total: 1000 })
    expect(play.state.condition).toBe('excluded')
    const { window } = play.status()
    expect(window?.net.sliRatio).toBe(1)
    expect(window?.gross.sliRatio).toBeLessThan(0.96)
    expect(play.transitions.filter(({ subject }) => subject === 'pair')).toEqual([])
    play.steps(10, good)
    expect(play.state.condition).toBe('healthy')
  })
})

test('the conditions of a story follow one another', () => {
  const play = started({ outage: { failingRatio: 0.5, totalMin: 20 } })
  play.steps(1, { good: 100, total: 1000 })
  play.steps(20, half)
  play.steps(10, good)
  expect(conditionWords(play.transitions)).toEqual([
    '12:00 healthy',
    '12:01 outage',
    '12:22 burning-fast',
    '12:26 exhausted',
  ])
})

test('everything wrong with a policy is told at once', () => {
  const wrong = policy({
    objective: 0.9,
    window: { kind: 'calendar', unit: 'month', count: 1, timeZone: 'Nowhere', start: undefined },
    coverageFloor: 0,
    guards: { minTotal: -1, minBad: 3 },
  })
  expect(checkPolicy(wrong).map(({ place }) => place)).toEqual([
    'window.timeZone',
    'burn.pairs[0].budgetPercent',
    'coverageFloor',
    'guards.minTotal',
  ])
  expect(checkPolicy(policy())).toEqual([])
})
