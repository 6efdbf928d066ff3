import { expect, test } from 'vitest'
import { fail, findingsText, judged, ok, warn, worst } from './finding.ts'

test.each([
  { findings: [], want: 'ok' },
  { findings: [ok('a', 'x'), warn('b', 'y', 'z')], want: 'warn' },
  { findings: [fail('a', 'x', 'y'), warn('b', 'y', 'z')], want: 'fail' },
])('the worst of $findings is $want', ({ findings, want }) => expect(worst(findings)).toBe(want))

test.each([
  { value: 9, want: 'ok' },
  { value: 10, want: 'warn' },
  { value: 20, want: 'fail' },
])('$value is $want', ({ value, want }) => {
  expect(judged('a', value, { warnAt: 10, failAt: 20 }, 'text', 'do').state).toBe(want)
})

test('a remedy stands under its finding', () => {
  expect(findingsText([ok('a', 'fine'), fail('bcd', 'broken', 'mend it')])).toBe(
    'ok    a    fine\nFAIL  bcd  broken\n           → mend it\n1 ok, 0 to look at, 1 broken',
  )
})
