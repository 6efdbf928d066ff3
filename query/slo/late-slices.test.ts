import { describe, expect, test } from 'vitest'
import { SloPlay } from '../../test/support/slo-play.ts'
import { workbook30d } from './burn-profiles.ts'
import { countWindow } from './count-window.ts'
import { judgeWindow } from './judge-window.ts'
import { admit, clockAheadMs, decideCorrection, type StoredSlice } from './late-slices.ts'
import { reviewFired, touchesEvidence, type FiredPair } from './review-past.ts'
import { sloPolicy } from './slo-policy.ts'

const MINUTE = 60_000
const allowance = { remeasureMs: 15 * MINUTE }
const nowMs = 1000 * MINUTE
const row = (minutesAgo: number, good: number, revision: number) => ({
  startMs: nowMs - minutesAgo * MINUTE,
  good,
  total: 10,
  revision,
  isKnown: true,
})

test('8.6 within the allowance a newer measuring replaces, a repeated one changes nothing', () => {
  expect(admit(row(10, 9, 2), row(10, 8, 1), nowMs, MINUTE, allowance)).toEqual({ kind: 'taken' })
  expect(admit(row(10, 9, 2), undefined, nowMs, MINUTE, allowance)).toEqual({ kind: 'taken' })
  expect(admit(row(10, 9, 2), row(10, 9, 2), nowMs, MINUTE, allowance)).toEqual({ kind: 'outdated' })
  expect(admit(row(10, 9, 1), row(10, 8, 2), nowMs, MINUTE, allowance)).toEqual({ kind: 'outdated' })
})

describe('8.7 older than the allowance', () => {
  const stored: StoredSlice = row(60, 8, 1)
  const late = row(60, 9, 2)

  test('nothing changes, a correction is entered, and only its approval restates the slice', () => {
    const admission = admit(late, stored, nowMs, MINUTE, allowance)
    if (admission.kind !== 'correction') throw new Error(admission.kind)
    expect(admission.correction).toMatchObject({
      before: stored,
      after: late,
      decision: 'open',
      noticedAtMs: nowMs,
    })
    const rejected = decideCorrection(admission.correction, 'rejected', 'wang', nowMs + 1)
    expect(rejected.slice).toBeUndefined()
    const approved = decideCorrection(admission.correction, 'approved', 'wang', nowMs + 1)
    expect(approved.slice).toEqual({ ...late, revision: 2 })
    expect(approved.correction).toMatchObject({
      decision: 'approved',
      decidedBy: 'wang',
      decidedAtMs: nowMs + 1,
    })
    expect(() => decideCorrection(approved.correction, 'rejected', 'li', nowMs + 2)).toThrow(
      'was approved by wang',
    )
  })

  test('an approved slice is newer than the stored one whatever its own revision', () => {
    const admission = admit({ ...late, revision: 9 }, { ...stored, revision: 8 }, nowMs, MINUTE, allowance)
    if (admission.kind !== 'correction') throw new Error(admission.kind)
    const { slice } = decideCorrection(
      { ...admission.correction, after: { ...late, revision: 3 } },
      'approved',
      'wang',
      0,
    )
    expect(slice?.revision).toBe(9)
  })

  test('the same counts measured once more are no correction', () => {
    expect(admit(row(60, 8, 5), stored, nowMs, MINUTE, allowance)).toEqual({ kind: 'outdated' })
  })
})

test('8.9 a source whose clock is five minutes ahead: nothing is counted in slices to come, and the skew is told', () => {
  expect(admit(row(-5, 9, 1), undefined, nowMs, MINUTE, allowance)).toEqual({
    kind: 'ahead',
    aheadMs: 5 * MINUTE,
  })
  expect(clockAheadMs(nowMs + 5 * MINUTE, nowMs)).toBe(5 * MINUTE)
  expect(clockAheadMs(nowMs - MINUTE, nowMs)).toBe(0)
})

describe('8.8 good data that comes late for an alert that has fired', () => {
  const policy = sloPolicy({
    objective: 0.99,
    window: { kind: 'rolling', durationMs: 600 * MINUTE },
    burn: { ...workbook30d, pairs: workbook30d.pairs.slice(0, 1) },
  })

  function fired() {
    const play = new SloPlay(policy, 0)
    play.history(600, { good: 100, total: 100 })
    play.steps(20, { good: 20, total: 100 })
    const transition = play.transitions.find(
      (one): one is FiredPair => one.subject === 'pair' && one.to === 'firing',
    )
    if (transition === undefined) throw new Error('did not fire')
    return { play, transition }
  }
  const review = (play: SloPlay, transition: FiredPair) => {
    const end = transition.atMs / MINUTE
    const judged = (minutes: number) =>
      judgeWindow(
        countWindow(play.stored(), policy.budgeting, { from: end - minutes, to: end }).net,
        'freeze',
      )
    return reviewFired(transition, judged(60), judged(5), play.nowMs)
  }

  test('history stays as it was, and the incident gets a note', () => {
    const { play, transition } = fired()
    const told = [...play.transitions]
    const state = play.state
    for (let slice = 600; slice < 620; slice++) play.set(slice, { good: 1020, total: 1100 })
    expect(touchesEvidence(transition, 605 * MINUTE)).toBe(true)
    expect(touchesEvidence(transition, 300 * MINUTE)).toBe(false)
    expect(touchesEvidence(transition, transition.atMs)).toBe(false)
    expect(review(play, transition)).toMatchObject({
      kind: 'would-not-have-fired',
      pairId: 'page-1h',
      firedAtMs: transition.atMs,
      thresholdRatio: 0.144,
    })
    expect(play.transitions).toEqual(told)
    expect(play.state).toBe(state)
  })

  test('without a change that matters there is no note', () => {
    const { play, transition } = fired()
    expect(review(play, transition)).toBeUndefined()
    play.set(605, { good: 21, total: 100 })
    expect(review(play, transition)).toBeUndefined()
  })
})
