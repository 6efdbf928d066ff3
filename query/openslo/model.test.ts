import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readOpenSlo } from './read.ts'
import type { SloV1 } from './schema-v1.ts'
import { modelOf, targetText } from './model.ts'

const EXAMPLES = new URL('../../deploy/slos/', import.meta.url)
const files = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, EXAMPLES), 'utf8') }))

test('the examples are taken in strict mode without a word, and each can be executed', () => {
  const { objects, problems } = readOpenSlo(files, { isStrict: true })
  expect(problems).toEqual([])
  const slos = objects.filter((object) => object.kind === 'SLO')
  expect(slos).toHaveLength(9)
  const models = slos.map((slo) => modelOf(slo, () => undefined))
  expect(models.flatMap((result) => ('problems' in result ? result.problems : []))).toEqual([])
  const kinds = models.flatMap((result) =>
    'model' in result ? result.model.objectives.map(({ indicator }) => indicator.good.kind) : [],
  )
  expect(new Set(kinds)).toEqual(new Set(['outcome', 'latency']))
})

const slo = (
  spec: Record<string, unknown>,
  good: Record<string, unknown>,
  annotations: Record<string, string> = {},
) => {
  const source = (of: Record<string, unknown>) => ({ metricSource: { type: 'surety', spec: of } })
  return {
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name: 'a', annotations },
    spec: {
      service: 'pay',
      indicator: {
        metadata: { name: 'i' },
        spec: { ratioMetric: { good: source(good), total: source(spec) } },
      },
      timeWindow: [{ duration: '30d', isRolling: true }],
      budgetingMethod: 'Occurrences',
      objectives: [{ targetPercent: 99.9 }],
    },
  } as unknown as SloV1
}
const outcomeOf = (given: SloV1) => {
  const result = modelOf(given, () => undefined)
  return 'problems' in result
    ? result.problems.map(({ code, path }) => `${code} ${path.join('.')}`)
    : result.model
}

describe('what a source of ours may say', () => {
  test('requests by dimensions, and which are good', () => {
    const given = slo(
      { service: 'pay', region: 'east', groupBy: ['branch'], entry: true },
      { returnCodes: ['PAY0000'] },
      { 'slo.surety/step': '10s', 'other.example/x': 'y' },
    )
    expect(outcomeOf(given)).toMatchObject({
      stepSeconds: 10,
      minTotal: 20,
      objectives: [
        {
          target: '0.999',
          indicator: {
            selector: { service: 'pay', region: 'east' },
            groupBy: ['branch'],
            entryOnly: true,
            traffic: 'live',
            good: { kind: 'returnCode', codes: ['PAY0000'] },
          },
        },
      ],
    })
  })

  test.each([
    {
      what: 'a dimension that is none',
      spec: { servize: 'pay' },
      good: {},
      want: ['unknown-field spec.objectives.0.indicator.spec.servize'],
    },
    {
      what: 'an outcome that is none',
      spec: {},
      good: { outcomes: ['fine'] },
      want: ['invalid spec.objectives.0.indicator.ratioMetric.good.spec.outcomes.0'],
    },
    {
      what: 'two ways of good',
      spec: {},
      good: { returnCodes: ['A'], withinMs: 5 },
      want: ['one-of spec.objectives.0.indicator.ratioMetric.good'],
    },
    {
      what: 'a time that is none',
      spec: {},
      good: { withinMs: 0 },
      want: ['invalid spec.objectives.0.indicator.ratioMetric.good.spec.withinMs'],
    },
  ])('$what is told with its place', ({ spec, good, want }) => {
    expect(outcomeOf(slo(spec, good))).toEqual(want)
  })

  test('an annotation of ours that is not known is told: a word that is misspelled must not be lost', () => {
    expect(outcomeOf(slo({}, {}, { 'slo.surety/min-totl': '5' }))).toEqual([
      'unknown-annotation metadata.annotations.slo.surety/min-totl',
    ])
  })
})

test.each([
  [{ target: 0.999 }, '0.999'],
  [{ targetPercent: 99.9 }, '0.999'],
  [{ targetPercent: 99.999 }, '0.99999'],
  [{ targetPercent: 5 }, '0.05'],
  [{ targetPercent: 0 }, '0'],
  [{ target: 0 }, '0'],
  [{ targetPercent: 50 }, '0.5'],
])('a target in percent is the same digits: %j is %s', (given, want) => {
  expect(targetText(given)).toBe(want)
})
