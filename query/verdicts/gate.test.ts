import { expect, test } from 'vitest'
import type { ReleaseVerdict } from '../http/release-schemas.ts'
import { gateDecision } from './gate.ts'

const verdict = (change: Partial<ReleaseVerdict>): ReleaseVerdict => ({
  release: 'r1',
  decidedAt: '2026-11-20T10:05:00.000Z',
  verdict: 'cannot-tell',
  fault: null,
  headline: { en: 'so', zh: '如此' },
  errorRate: 0.01,
  exposedRequests: 10,
  controlRequests: 100,
  requestsMissing: null,
  minutesMissing: null,
  measures: [],
  override: null,
  ...change,
})
const by = (word: ReleaseVerdict['verdict']): ReleaseVerdict['override'] => ({
  verdict: word,
  reason: 'agreed',
  by: 'wang',
  at: '2026-11-20T10:06:00.000Z',
})

test.each<{ name: string; kept: ReleaseVerdict | undefined; want: 'go' | 'abort' | 'wait' }>([
  { name: 'what was never judged', kept: undefined, want: 'wait' },
  { name: 'what cannot be told yet', kept: verdict({}), want: 'wait' },
  { name: 'what is not worse', kept: verdict({ verdict: 'not-worse' }), want: 'go' },
  { name: 'a technical fault', kept: verdict({ verdict: 'worse', fault: 'technical' }), want: 'abort' },
  { name: 'a business fault', kept: verdict({ verdict: 'worse', fault: 'business' }), want: 'wait' },
  {
    name: 'what a person let pass',
    kept: verdict({ verdict: 'worse', fault: 'technical', override: by('not-worse') }),
    want: 'go',
  },
  {
    name: 'a business fault that a person called worse',
    kept: verdict({ verdict: 'worse', fault: 'business', override: by('worse') }),
    want: 'abort',
  },
  {
    name: 'what a person is not sure of',
    kept: verdict({ verdict: 'not-worse', override: by('cannot-tell') }),
    want: 'wait',
  },
])('$name: $want', ({ kept, want }) => {
  expect(gateDecision(kept, 'transfer 2.14.0').decision).toBe(want)
})

test('whose verdict counts is told', () => {
  expect(gateDecision(verdict({ override: by('worse') }), 'transfer 2.14.0')).toMatchObject({
    decidedBy: 'wang',
    decidedAt: '2026-11-20T10:06:00.000Z',
    verdict: 'worse',
    release: 'r1',
  })
})
