import { describe, expect, test } from 'vitest'
import { readSlos } from './bundle.ts'
import { parseDuration } from './duration.ts'
import { readOpenSlo } from './read.ts'
import type { Resolver } from './references.ts'

const slo = (changes: Record<string, unknown> = {}, objective: Record<string, unknown> = {}) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name: 'pay-availability' },
  spec: {
    service: 'pay',
    indicator: {
      metadata: { name: 'pay-good' },
      spec: {
        ratioMetric: {
          counter: true,
          good: { metricSource: { type: 'Surety', spec: { outcomes: ['ok'] } } },
          total: { metricSource: { type: 'Surety', spec: { signal: 'requests' } } },
        },
      },
    },
    timeWindow: [{ duration: '30d', isRolling: true }],
    budgetingMethod: 'Occurrences',
    objectives: [{ target: 0.999, ...objective }],
    ...changes,
  },
})
const read = (value: unknown, options = {}) =>
  readOpenSlo([{ file: 'a.yaml', text: typeof value === 'string' ? value : JSON.stringify(value) }], options)
const told = (value: unknown, options = {}) =>
  read(value, options).problems.map(({ severity, code, path }) => `${severity} ${code} ${path}`)

describe('1.11 two documents, a list and JSON are read alike', () => {
  const service = (name: string) =>
    `apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: ${name}\nspec: {}\n`
  const json = (name: string) => ({ apiVersion: 'openslo/v1', kind: 'Service', metadata: { name }, spec: {} })
  const both = [json('a'), json('b')]
  test.each([
    { form: 'two documents', text: `${service('a')}---\n${service('b')}` },
    { form: 'two documents, the first empty', text: `---\n---\n${service('a')}---\n${service('b')}` },
    { form: 'a list in JSON', text: JSON.stringify(both) },
    { form: 'a list in JSON, indented by tabs', text: JSON.stringify(both, null, '\t') },
    {
      form: 'a list in YAML',
      text: ['a', 'b'].map((name) => `- ${service(name).trimEnd().replaceAll('\n', '\n  ')}`).join('\n'),
    },
    { form: 'a byte order mark before it', text: `\uFEFF${service('a')}---\n${service('b')}` },
    {
      form: 'lines that end as on Windows',
      text: `${service('a')}---\n${service('b')}`.replaceAll('\n', '\r\n'),
    },
  ])('$form', ({ text }) => {
    const { objects, problems } = read(text, { isStrict: true })
    expect(problems).toEqual([])
    expect(objects).toEqual(both)
  })

  test('two files are one bundle', () => {
    const { objects } = readOpenSlo([
      { file: '1.yaml', text: service('a') },
      { file: '2.yaml', text: service('b') },
    ])
    expect(objects).toHaveLength(2)
  })
})

describe('1.3 targets: from 0 to below 1, in exactly one form', () => {
  test.each([
    { objective: { target: 1 }, want: ['error invalid spec.objectives[0].target'] },
    { objective: { target: -0.1 }, want: ['error invalid spec.objectives[0].target'] },
    {
      objective: { target: undefined, targetPercent: 100 },
      want: ['error invalid spec.objectives[0].targetPercent'],
    },
    { objective: { target: 0 }, want: [] },
    { objective: { target: undefined, targetPercent: 0 }, want: [] },
    { objective: { target: undefined, targetPercent: 99.9 }, want: [] },
    { objective: { targetPercent: 99.9 }, want: ['error one-of spec.objectives[0]'] },
    { objective: { target: undefined }, want: ['error required spec.objectives[0]'] },
    { objective: { target: '0.999' }, want: ['error invalid spec.objectives[0].target'] },
  ])('$objective', ({ objective, want }) => {
    expect(told(slo({}, objective))).toEqual(want)
  })
})

test('1.11 an unknown field is an error with its path and line, at whatever depth', () => {
  const text = `apiVersion: openslo/v1
kind: AlertCondition
metadata:
  name: fast
  colour: red
spec:
  severity: page
  condition:
    kind: burnrate
    op: gt
    threshold: 2
    lookbackWindow: 1h
    alertsAfter: 5m
`
  const { objects, problems } = read(text)
  expect(objects).toEqual([])
  expect(problems.map(({ severity, code, path, line }) => [severity, code, path, line])).toEqual([
    ['error', 'unknown-field', 'metadata.colour', 5],
    ['error', 'unknown-field', 'spec.condition.alertsAfter', 13],
  ])
})

const metric = { metricSource: { type: 'Any', spec: { query: 'x' } } }
const withSli = (ratioMetric: object) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLI',
  metadata: { name: 'a' },
  spec: { ratioMetric },
})

describe('what must fit together', () => {
  test.each([
    { what: 'no indicator', given: slo({ indicator: undefined }), want: ['error required spec'] },
    {
      what: 'indicator and indicatorRef',
      given: slo({ indicatorRef: 'b' }),
      want: ['error one-of spec', 'error dangling spec.indicatorRef'],
    },
    {
      what: 'an indicator above and below',
      given: slo({}, { indicatorRef: 'b' }),
      want: ['error one-of spec', 'error dangling spec.objectives[0].indicatorRef'],
    },
    {
      what: 'two windows',
      given: slo({
        timeWindow: [
          { duration: '1d', isRolling: true },
          { duration: '2d', isRolling: true },
        ],
      }),
      want: ['error invalid spec.timeWindow'],
    },
    {
      what: 'a window that neither rolls nor has a calendar',
      given: slo({ timeWindow: [{ duration: '30d' }] }),
      want: ['error required spec.timeWindow[0]'],
    },
    {
      what: 'a window that rolls and has a calendar',
      given: slo({
        timeWindow: [
          {
            duration: '1w',
            isRolling: true,
            calendar: { startTime: '2026-01-01 00:00:00', timeZone: 'UTC' },
          },
        ],
      }),
      want: ['error one-of spec.timeWindow[0]'],
    },
    {
      what: 'Timeslices without their target and their slice',
      given: slo({ budgetingMethod: 'Timeslices' }),
      want: [
        'error required spec.objectives[0].timeSliceTarget',
        'error required spec.objectives[0].timeSliceWindow',
      ],
    },
    {
      what: 'a slice for Occurrences, which means nothing',
      given: slo({}, { timeSliceWindow: '1m' }),
      want: ['warning ignored-field spec.objectives[0].timeSliceWindow'],
    },
    {
      what: 'a duration in words',
      given: slo({ timeWindow: [{ duration: 'month', isRolling: true }] }),
      want: ['error invalid spec.timeWindow[0].duration'],
    },
    {
      what: 'months that roll',
      given: slo({ timeWindow: [{ duration: '1M', isRolling: true }] }),
      want: ['warning rolling-months spec.timeWindow[0].duration'],
    },
    {
      what: 'a method that is misspelled',
      given: slo({ budgetingMethod: 'occurrences' }),
      want: ['error invalid spec.budgetingMethod'],
    },
    {
      what: 'raw without its type',
      given: withSli({ raw: metric }),
      want: ['error required spec.ratioMetric'],
    },
    {
      what: 'raw beside good',
      given: withSli({ raw: metric, rawType: 'success', good: metric }),
      want: ['error one-of spec.ratioMetric'],
    },
    {
      what: 'good and bad',
      given: withSli({ good: metric, bad: metric, total: metric }),
      want: ['error one-of spec.ratioMetric'],
    },
    {
      what: 'good without total',
      given: withSli({ good: metric }),
      want: ['error required spec.ratioMetric'],
    },
    {
      what: 'a kind that every object of JavaScript has',
      given: { ...slo(), kind: 'constructor' },
      want: ['error kind kind'],
    },
    { what: 'a number', given: '3', want: ['error no-object '] },
  ])('$what', ({ given, want }) => {
    expect(told(given)).toEqual(want)
  })

  test('op on a ratio is an error in strict mode', () => {
    expect(told(slo({}, { op: 'gt' }), { isStrict: true })).toEqual(['error forbidden spec.objectives[0].op'])
  })

  test('a display name that is too long is an error in strict mode and kept in lenient', () => {
    const given = { ...slo(), metadata: { name: 'a', displayName: '支付'.repeat(40) } }
    expect(told(given, { isStrict: true })).toEqual(['error invalid metadata.displayName'])
    expect(read(given).objects).toHaveLength(1)
  })

  test('a window that is missing is thirty days in lenient mode, and says so', () => {
    const { objects, problems } = read(slo({ timeWindow: undefined }))
    expect(problems.map(({ code }) => code)).toEqual(['assumed'])
    expect(objects).toMatchObject([{ spec: { timeWindow: [{ duration: '30d', isRolling: true }] } }])
  })
})

describe('1.12 nothing dangles', () => {
  const given = slo({
    indicator: undefined,
    indicatorRef: 'kept-sli',
    alertPolicies: [{ alertPolicyRef: 'nobody' }],
  })
  test('references that lead nowhere refuse the bundle whole', () => {
    expect(told(given)).toEqual([
      'error dangling spec.indicatorRef',
      'error dangling spec.alertPolicies[0].alertPolicyRef',
    ])
    expect(read([given, { ...slo(), metadata: { name: 'other' } }]).objects).toEqual([])
  })
  test('what is kept already counts', () => {
    const kept = ((kind: string) =>
      kind === 'SLI'
        ? { ...slo(), kind: 'SLI', metadata: { name: 'kept-sli' }, spec: slo().spec.indicator.spec }
        : undefined) as Resolver
    expect(told(given, { kept })).toEqual(['error dangling spec.alertPolicies[0].alertPolicyRef'])
  })
  test('a data source that is not there matters where no type says what it is', () => {
    const source = (type?: string) => ({
      metricSource: {
        metricSourceRef: 'thanos',
        spec: { query: 'x' },
        ...(type === undefined ? {} : { type }),
      },
    })
    expect(told(withSli({ good: source('Prometheus'), total: source() }))).toEqual([
      'warning dangling spec.ratioMetric.good.metricSource.metricSourceRef',
      'error dangling spec.ratioMetric.total.metricSource.metricSourceRef',
    ])
  })
})

describe('texts that mean harm', () => {
  test('a document that names itself over and over is refused', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'
        .split('')
        .map(
          (letter, index) =>
            `${letter}: &${letter} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(',')}]`,
        ),
    ].join('\n')
    expect(told(bomb)).toEqual(['error syntax '])
  })
  test('one that contains itself is refused', () => {
    expect(told('a: &a\n  b: *a\n')).toHaveLength(1)
  })
  test.each(['[', '{"a":', '- '])('a hundred thousand times «%s» is refused', (deep) => {
    expect(read(deep.repeat(100_000)).objects).toEqual([])
  })
  test('four megabytes are enough', () => {
    expect(told(`a: "${'x'.repeat(4 * 1024 * 1024)}"`)).toEqual(['error too-big '])
  })
  test('a member named __proto__ is a member like any other', () => {
    expect(
      told('apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  __proto__: { x: 1 }\n'),
    ).toEqual(['error unknown-field spec.__proto__'])
  })
  test('text of SQL and templates stays text where people write it', () => {
    const text = `'; DROP TABLE spans; -- {{ .Values.x }} \${x} <script> "支付" 🏦`
    const { objects } = readSlos(
      [
        {
          file: '',
          text: JSON.stringify({ ...slo({ description: text }), metadata: { name: 'a', displayName: text } }),
        },
      ],
      { isStrict: true },
    )
    expect(objects).toMatchObject([{ metadata: { displayName: text }, spec: { description: text } }])
  })
})

test('anchors and merge keys are read', () => {
  const { objects } = read(`
- &one
  apiVersion: openslo/v1
  kind: Service
  metadata: { name: a }
  spec: { description: same }
- <<: *one
  metadata: { name: b }
`)
  expect(objects).toMatchObject([
    { metadata: { name: 'a' } },
    { metadata: { name: 'b' }, spec: { description: 'same' } },
  ])
})

test('a member without a value is one that is not there; free parts stay as they are', () => {
  const { objects } = read(`
apiVersion: openslo/v1
kind: DataSource
metadata: { name: a, displayName: }
spec: { type: x, connectionDetails: { a: null } }
`)
  expect(objects).toEqual([
    {
      apiVersion: 'openslo/v1',
      kind: 'DataSource',
      metadata: { name: 'a' },
      spec: { type: 'x', connectionDetails: { a: null } },
    },
  ])
})

test.each([
  ['5m', { count: 5, unit: 'm' }],
  ['1M', { count: 1, unit: 'M' }],
  ['0w', undefined],
  ['1.5h', undefined],
  ['1 h', undefined],
  ['', undefined],
])('duration %j', (text, want) => {
  expect(parseDuration(text)).toEqual(want)
})
