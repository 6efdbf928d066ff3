import { describe, expect, test } from 'vitest'
import { SloPlay } from '../../test/support/slo-play.ts'
import { workbook30d } from './burn-profiles.ts'
import { countWindow } from './count-window.ts'
import { judgeWindow } from './judge-window.ts'
import { reviewFired, touchesEvidence, type FiredPair } from './review-past.ts'
import { sloPolicy } from './slo-policy.ts'

const MINUTE = 60_000

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
