import { describe, expect, test } from 'vitest'
import { makeRelease, play, READY_MS } from '../../test/support/verdict-traffic.ts'
import { releaseVerdict } from '../../query/verdicts/release-verdict.ts'
import { VERDICT_CHANGED, verdictEvents } from '../publish/release-event.ts'
import { nextJudgement } from './verdict-schedule.ts'

const HOUR_MS = 3_600_000
const open = { verdict: 'cannot-tell' } as const
const told = { verdict: 'not-worse' } as const

describe('judged again', () => {
  test.each([
    { name: 'every half minute while young', age: 0.5, want: 30_000 },
    { name: 'every five minutes after an hour', age: 2, want: 300_000 },
    { name: 'every quarter of an hour after six', age: 7, want: 900_000 },
    { name: 'never after a day when it is told', age: 25, want: undefined },
    { name: 'every hour of three days when it is not', age: 25, verdict: open, want: HOUR_MS },
    { name: 'never after those', age: 73, verdict: open, want: undefined },
  ])('$name', ({ age, verdict = told, want }) => {
    const nowMs = READY_MS + age * HOUR_MS
    const next = nextJudgement(makeRelease(), verdict, nowMs)
    expect(next === undefined ? undefined : next - nowMs).toBe(want)
  })

  test('a scope that widens makes it young again', () => {
    const [first] = makeRelease().stages
    if (first === undefined) throw new Error('no stage')
    const nowMs = READY_MS + 30 * HOUR_MS
    const widened = makeRelease({ stages: [first, { ...first, kind: 'step', atMs: nowMs - 60_000 }] })
    expect(nextJudgement(widened, told, nowMs)).toBe(nowMs + 30_000)
  })
})

describe('told outward', () => {
  const traffic = play({ minutes: 15, added: { system: 0.05 } })
  const worse = releaseVerdict(traffic)

  test('a change to worse, once, with the event that told of the release', () => {
    const [event] = verdictEvents(traffic.release, worse, 'cannot-tell', 7)
    expect(event).toMatchObject({
      id: 'verdict-7',
      type: VERDICT_CHANGED,
      source: '/surety/releases',
      subject: 'r-1',
      data: {
        context: {
          specversion: '0.5.1',
          id: 'verdict-7',
          type: VERDICT_CHANGED,
          links: [{ linkKind: 'CAUSED_BY', target: { contextId: '1' } }],
        },
        subject: {
          id: 'r-1',
          content: {
            from: 'cannot-tell',
            to: 'worse',
            fault: 'technical',
            artifactId: 'pkg:generic/transfer@1.1',
          },
        },
        customData: { headline: worse.headline, measures: [{ measure: 'system_error' }] },
      },
    })
  })

  test('a worse one that is not after all; nothing of what never was', () => {
    const fine = { ...worse, verdict: 'not-worse' as const, fault: null }
    expect(verdictEvents(traffic.release, fine, 'worse', 8)).toHaveLength(1)
    expect(verdictEvents(traffic.release, fine, 'cannot-tell', 9)).toEqual([])
    expect(verdictEvents(traffic.release, fine, undefined, 10)).toEqual([])
  })
})
