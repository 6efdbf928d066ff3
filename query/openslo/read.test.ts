import { describe, expect, test } from 'vitest'
import { parseDuration } from './duration.ts'
import { readOpenSlo } from './read.ts'

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
          good: { metricSource: { type: 'surety', spec: { outcome: 'good' } } },
          total: { metricSource: { type: 'surety', spec: { outcome: 'any' } } },
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

describe('the same objects, whichever way they are written', () => {
  const service = (name: string) =>
    `apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: ${name}\nspec: {}\n`
  const json = (name: string) => ({ apiVersion: 'openslo/v1', kind: 'Service', metadata: { name }, spec: {} })
  test.each([
    { form: 'two documents', text: `${service('a')}---\n${service('b')}` },
    { form: 'two documents, the first empty', text: `---\n---\n${service('a')}---\n${service('b')}` },
    { form: 'a list in JSON', text: JSON.stringify([json('a'), json('b')]) },
    {
      form: 'a list in YAML',
      text: ['a', 'b'].map((name) => `- ${service(name).trimEnd().replaceAll('\n', '\n  ')}`).join('\n'),
    },
  ])('$form', ({ text }) => {
    const { objects, problems } = read(text)
    expect(problems).toEqual([])
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
  })

  test('two files are one bundle', () => {
    const { objects } = readOpenSlo([
      { file: '1.yaml', text: service('a') },
      { file: '2.yaml', text: service('b') },
    ])
    expect(objects).toHaveLength(2)
  })
})

describe('targets', () => {
  test.each([
    { objective: { target: 1 }, want: ['error invalid spec.objectives[0].target'] },
    {
      objective: { target: undefined, targetPercent: 100 },
      want: ['error invalid spec.objectives[0].targetPercent'],
    },
    { objective: { target: 0 }, want: [] },
    { objective: { target: undefined, targetPercent: 99.9 }, want: [] },
    { objective: { targetPercent: 99.9 }, want: ['error one-of spec.objectives[0]'] },
    { objective: { target: undefined }, want: ['error one-of spec.objectives[0]'] },
  ])('$objective', ({ objective, want }) => {
    expect(told(slo({}, objective))).toEqual(want)
  })
})

describe('what must fit together', () => {
  test.each([
    {
      what: 'op on a ratio, lenient',
      given: slo({}, { op: 'gt' }),
      want: ['warning forbidden spec.objectives[0].op'],
    },
    { what: 'no indicator', given: slo({ indicator: undefined }), want: ['error required spec'] },
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
      what: 'a calendar in a zone that nobody knows',
      given: slo({
        timeWindow: [
          { duration: '1M', calendar: { startTime: '2026-01-01 00:00:00', timeZone: 'Mars/Base' } },
        ],
      }),
      want: ['error invalid spec.timeWindow[0].calendar.timeZone'],
    },
    {
      what: 'Timeslices without their target',
      given: slo({ budgetingMethod: 'Timeslices' }, { timeSliceWindow: '1m' }),
      want: ['error required spec.objectives[0]'],
    },
    {
      what: 'a slice for Occurrences',
      given: slo({}, { timeSliceWindow: '1m' }),
      want: ['error forbidden spec.objectives[0].timeSliceWindow'],
    },
    {
      what: 'a duration in words',
      given: slo({ timeWindow: [{ duration: 'month', isRolling: true }] }),
      want: ['error invalid spec.timeWindow[0].duration'],
    },
    {
      what: 'an unknown method',
      given: slo({ budgetingMethod: 'Sometimes' }),
      want: ['error invalid spec.budgetingMethod'],
    },
    { what: 'another version', given: { ...slo(), apiVersion: 'foo' }, want: ['error version apiVersion'] },
    { what: 'another kind', given: { ...slo(), kind: 'constructor' }, want: ['error kind kind'] },
    { what: 'no object', given: '3', want: ['error no-object '] },
    { what: 'no YAML', given: 'a: [', want: ['error syntax '] },
  ])('$what', ({ given, want }) => {
    expect(told(given)).toEqual(want)
  })

  test('op on a ratio is an error in strict mode', () => {
    expect(told(slo({}, { op: 'gt' }), { isStrict: true })).toEqual(['error forbidden spec.objectives[0].op'])
  })

  test('1m that was meant as a month is asked about', () => {
    const month = slo(
      {
        timeWindow: [{ duration: '1m', calendar: { startTime: '2026-01-01 00:00:00', timeZone: 'UTC' } }],
        budgetingMethod: 'Timeslices',
      },
      { timeSliceTarget: 0.9, timeSliceWindow: '1m' },
    )
    const { problems } = read(month)
    expect(problems).toMatchObject([
      { severity: 'warning', code: 'minute-for-month', path: 'spec.timeWindow[0].duration' },
    ])
    expect(problems[0]?.message).toContain('did you mean «1M»')
  })
})

test('an unknown field is told with path and line, and all problems of a bundle together; nothing of it is taken', () => {
  const text = `apiVersion: openslo/v1
kind: Service
metadata:
  name: good
spec: {}
---
apiVersion: openslo/v1
kind: Service
metadata:
  name: Bad Name
spec:
  markdown: x
`
  const { objects, problems } = read(text)
  expect(objects).toEqual([])
  expect(
    problems
      .map(({ path, line, code }) => [path, line, code])
      .toSorted((a, b) => String(a).localeCompare(String(b))),
  ).toEqual([
    ['metadata.name', 10, 'invalid'],
    ['spec.markdown', 12, 'unknown-field'],
  ])
})

test('references that lead nowhere refuse the bundle; what is kept already counts', () => {
  const given = slo({
    indicator: undefined,
    indicatorRef: 'kept-sli',
    alertPolicies: [{ alertPolicyRef: 'nobody' }],
  })
  expect(told(given)).toEqual([
    'error dangling spec.indicatorRef',
    'error dangling spec.alertPolicies[0].alertPolicyRef',
  ])
  expect(told(given, { isKept: (kind: string) => kind === 'SLI' })).toEqual([
    'error dangling spec.alertPolicies[0].alertPolicyRef',
  ])
})

test('the same name twice is told at the second', () => {
  expect(told([slo(), slo()])).toEqual(['error duplicate metadata.name'])
})

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
