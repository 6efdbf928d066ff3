import { describe, expect, test } from 'vitest'
import { familiesOf, familySql } from './families.ts'
import {
  GOOD_OUTCOMES,
  OUTCOMES,
  type Dimension,
  type GoodRequest,
  type RequestIndicator,
} from '../slo/model.ts'
import type { RequestQuestion } from './families.ts'

const GOOD: GoodRequest = { outcomes: GOOD_OUTCOMES, withinMs: undefined, returnCodes: undefined }

const availability = (
  series: string,
  where: Readonly<Partial<Record<Dimension, string>>>,
  more: Partial<RequestIndicator> & { readonly stepSeconds?: 10 | 60 } = {},
): RequestQuestion => {
  const { stepSeconds = 60, ...indicator } = more
  return {
    series,
    stepSeconds,
    indicator: {
      kind: 'requests',
      where: Object.entries(where).map(([name, value]) => ({
        subject: { kind: 'dimension', name: name as Dimension },
        isExcluded: false,
        values: [value],
      })),
      good: GOOD,
      isEntry: false,
      traffic: ['live'],
      groupBy: [],
      groupsMax: 100,
      fallback: undefined,
      ...indicator,
    },
  }
}
const dimension = (name: Dimension) => ({ kind: 'dimension', name }) as const

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
    { what: 'another traffic', more: { traffic: ['stress'] } },
    { what: 'other outcomes', more: { good: { ...GOOD, outcomes: ['ok'] } } },
    { what: 'a threshold', more: { good: { ...GOOD, withinMs: 300 } } },
    { what: 'groups', more: { groupBy: [dimension('region')] } },
    {
      what: 'what is left out',
      more: { where: [{ subject: dimension('service'), isExcluded: true, values: ['s'] }] },
    },
    { what: 'entry spans', more: { isEntry: true } },
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
  { what: 'a dimension of spans', question: availability('a', { txnCode: 't' }), from: 'spans' },
  {
    what: 'a group of spans',
    question: availability('a', { service: 's' }, { groupBy: [dimension('branch')] }),
    from: 'spans',
  },
  {
    what: 'latency',
    question: availability(
      'a',
      { service: 's' },
      { good: { outcomes: OUTCOMES, withinMs: 0.5, returnCodes: undefined } },
    ),
    from: 'spans',
  },
  {
    what: 'an attribute',
    question: availability(
      'a',
      {},
      { where: [{ subject: { kind: 'attribute', key: 'shop' }, isExcluded: false, values: ['x'] }] },
    ),
    from: 'spans',
  },
  {
    what: 'return codes',
    question: availability(
      'a',
      { service: 's' },
      { good: { ...GOOD, returnCodes: { isExcluded: false, codes: ['PAY0000'] } } },
    ),
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
