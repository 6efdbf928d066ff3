import { describe, expect, test } from 'vitest'
import { familiesOf, familySql } from './families.ts'
import { GOOD_OUTCOMES, type SliceQuestion } from './question.ts'

const availability = (
  slo: string,
  selector: SliceQuestion['selector'],
  more: Partial<SliceQuestion> = {},
): SliceQuestion => ({
  slo,
  generation: 1,
  stepSeconds: 60,
  traffic: 'live',
  selector,
  good: { kind: 'outcome', outcomes: GOOD_OUTCOMES },
  entryOnly: false,
  groupBy: [],
  ...more,
})

describe('SLOs that look at the same dimensions are one statement', () => {
  test('ten thousand of three shapes are three', () => {
    const questions = Array.from({ length: 10_000 }, (_, index) => {
      const service = `s${index % 400}`
      if (index % 3 === 0) return availability(`a${index}`, { service })
      if (index % 3 === 1) return availability(`a${index}`, { operation: `GET /${index}`, service })
      return availability(`a${index}`, { service, operation: `GET /${index}` }, { stepSeconds: 10 })
    })
    const families = familiesOf(questions)
    expect(families.map(({ selected, stepSeconds }) => [selected.join(), stepSeconds])).toEqual([
      ['service', 60],
      ['operation,service', 60],
      ['operation,service', 10],
    ])
    const members = families.flatMap((family) => [...family.questions.values()].flat())
    expect(members).toHaveLength(10_000)
  })

  test.each([
    { what: 'another traffic', more: { traffic: 'stress' } },
    { what: 'other outcomes', more: { good: { kind: 'outcome', outcomes: ['ok'] } } },
    { what: 'a threshold', more: { good: { kind: 'latency', thresholdMs: 300, outcomes: ['ok'] } } },
    { what: 'groups', more: { groupBy: ['region'] } },
    { what: 'entry spans', more: { entryOnly: true } },
  ] as const)('$what is another', ({ more }) => {
    const both = [availability('a', { service: 's' }), availability('b', { service: 's' }, more)]
    expect(familiesOf(both)).toHaveLength(2)
  })
})

test.each([
  {
    what: 'outcomes by rollup dimensions, by minute',
    question: availability('a', { service: 's' }),
    from: 'requests_1m',
  },
  {
    what: 'the same by ten seconds',
    question: availability('a', { service: 's' }, { stepSeconds: 10 }),
    from: 'requests_10s',
  },
  { what: 'a dimension of spans', question: availability('a', { txn_code: 't' }), from: 'spans' },
  {
    what: 'a group of spans',
    question: availability('a', { service: 's' }, { groupBy: ['branch'] }),
    from: 'spans',
  },
  {
    what: 'latency',
    question: availability(
      'a',
      { service: 's' },
      { good: { kind: 'latency', thresholdMs: 0.5, outcomes: ['ok'] } },
    ),
    from: 'spans',
  },
  {
    what: 'return codes',
    question: availability('a', { service: 's' }, { good: { kind: 'returnCode', codes: ['PAY0000'] } }),
    from: 'spans',
  },
])('$what are counted from $from', ({ question, from }) => {
  const [family] = familiesOf([question])
  if (family === undefined) throw new Error('no family')
  const sql = familySql(family, 600, 1200)
  expect(sql).toContain(`FROM ${from}\n`)
})

test('names are literals, whatever they hold', () => {
  const hostile = `x') OR 1 = 1 --\n\nDROP TABLE spans`
  const [family] = familiesOf([availability('a', { service: hostile })])
  if (family === undefined) throw new Error('no family')
  const sql = familySql(family, 0, 60)
  expect(sql).not.toContain(hostile)
  expect(sql).toContain(String.raw`('x\') OR 1 = 1 --`)
})
