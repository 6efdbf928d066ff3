// Each likely mistake has a file named after it; it is told with a stable code, its path and line, and a remedy, and nothing of
// the file is taken where it is an error.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSlos } from './bundle.ts'
import { PROBLEM_CODES } from './problem.ts'

const FOLDER = new URL('../../test/fixtures/slo-mistakes/', import.meta.url)
const PART = 'spec.objectives[0].indicator.spec.ratioMetric.raw.metricSource.spec.slo'
const GOOD = 'spec.indicator.spec.ratioMetric.good.metricSource.spec'
const TOTAL = 'spec.indicator.spec.ratioMetric.total.metricSource.spec'

/** Severity, code, path, line, and a word of the remedy. */
const TOLD: Readonly<Record<string, readonly (readonly [string, string, string, RegExp])[]>> = {
  'objective-of-one': [['error invalid', 'spec.objectives[0].target', '- target: 1', /0\.999 is 99\.9 %/]],
  'objective-of-hundred-percent': [
    ['error invalid', 'spec.objectives[0].targetPercent', '- targetPercent: 100', /99\.9/],
  ],
  'target-in-both-forms': [
    ['error one-of', 'spec.objectives[0]', '- target: 0.999', /exactly one of target, targetPercent/],
  ],
  'target-in-no-form': [
    ['error required', 'spec.objectives[0]', '- displayName: none', /exactly one of target, targetPercent/],
  ],
  'op-that-is-none': [['error invalid', 'spec.objectives[0].op', "- op: '>='", /lte, gte, lt, gt/]],
  'op-on-a-ratio': [['warning forbidden', 'spec.objectives[0].op', '- op: gt', /leave it out/]],
  'op-that-makes-slow-good': [['error threshold', 'spec.objectives[0].op', '- op: gt', /did you mean «lt»/]],
  'month-written-as-minute': [
    ['warning minute-for-month', 'spec.timeWindow[0].duration', '- duration: 1m', /did you mean M \(«1M»/],
  ],
  'calendar-of-a-minute': [
    ['warning minute-for-month', 'spec.timeWindow[0].duration', '- duration: 1m', /did you mean M/],
    ['error window', 'spec.timeWindow[0].duration', '- duration: 1m', /did you mean M/],
  ],
  'unknown-field': [
    ['error unknown-field', 'spec.alertPolices', 'alertPolices: []', /did you mean «alertPolicies»/],
  ],
  'unknown-zone': [
    ['error time-zone', 'spec.timeWindow[0].calendar.timeZone', 'timeZone: Asia/Peking', /Asia\/Shanghai/],
  ],
  'zone-in-lower-case': [
    [
      'error time-zone',
      'spec.timeWindow[0].calendar.timeZone',
      'timeZone: asia/shanghai',
      /did you mean «Asia\/Shanghai»/,
    ],
  ],
  'day-that-does-not-exist': [
    [
      'error invalid',
      'spec.timeWindow[0].calendar.startTime',
      'startTime: 2026-02-30 00:00:00',
      /2026-01-01 00:00:00/,
    ],
  ],
  'dangling-indicator': [
    ['error dangling', 'spec.indicatorRef', 'indicatorRef: nobody', /add it to the bundle/],
  ],
  'dangling-policy': [
    [
      'error dangling',
      'spec.alertPolicies[0].alertPolicyRef',
      '- alertPolicyRef: nobody',
      /add it to the bundle/,
    ],
  ],
  'sql-in-a-name': [
    ['error invalid', 'metadata.name', 'name: "pay\'; DROP TABLE spans; --"', /transfer-availability/],
  ],
  'template-in-a-name': [
    ['error invalid', 'metadata.name', 'name: "{{ .Values.name }}"', /transfer-availability/],
  ],
  'escape-sequence-in-a-text': [
    [
      'error control-character',
      'spec.objectives[0].displayName',
      '- displayName: "\\e[31mred"',
      /leave them out/,
    ],
  ],
  'misspelled-annotation': [
    [
      'error unknown-annotation',
      'metadata.annotations["surety/min-totl"]',
      'surety/min-totl: "5"',
      /did you mean «surety\/min-total»/,
    ],
  ],
  'annotation-that-is-no-number': [
    ['error annotation', 'metadata.annotations["surety/min-total"]', 'surety/min-total: many', /as a text/],
  ],
  'dimension-that-is-none': [
    ['error unknown-field', `${TOTAL}.where.servise`, 'where: { servise: pay }', /did you mean «service»/],
  ],
  'outcome-that-is-none': [
    ['error invalid', `${GOOD}.outcomes[0]`, 'outcomes: [okay]', /ok, business_reject/],
  ],
  'groups-without-bound': [['error groups', `${TOTAL}.groupsMax`, 'groupsMax: 5000', /fewer values/]],
  'window-of-three-years': [
    ['warning rolling-months', 'spec.timeWindow[0].duration', '- duration: 3Y', /write days/],
    ['error window', 'spec.timeWindow[0].duration', '- duration: 3Y', /a year at most/],
  ],
  'composites-in-a-circle': [
    ['error cycle', PART, 'spec: { signal: slo, slo: first }', /take one of them out/],
  ],
  'composite-of-two-methods': [
    ['error mixed-methods', 'spec.objectives[0]', '- target: 0.99', /one budgeting method/],
  ],
  'burn-rate-that-cannot-be': [
    ['error burn-threshold', 'spec.alertPolicies', 'alertPolicies:', /lower threshold/],
  ],
  'no-yaml': [['error syntax', '', '', /valid YAML/]],
  'tabs-for-indentation': [['error syntax', '', 'name: a', /valid YAML/]],
  'same-key-twice': [['error syntax', '', 'kind: SLO', /valid YAML/]],
  'same-name-twice': [['error duplicate', 'metadata.name', 'name: pay-availability', /rename/]],
  'unknown-kind': [['error kind', 'kind', 'kind: Slo', /did you mean «SLO»/]],
  'unknown-version': [['error version', 'apiVersion', 'apiVersion: openslo/v3', /openslo\/v1/]],
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))

test('every file is told of, and every mistake has a file', () => {
  expect(files.map((name) => name.replace('.yaml', '')).toSorted()).toEqual(Object.keys(TOLD).toSorted())
})

describe.each(Object.entries(TOLD))('%s', (name, told) => {
  const text = readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8')
  const lines = text.split('\n').map((line) => line.trim())
  const { objects, definitions, problems } = readSlos([{ file: `${name}.yaml`, text }])
  test('is told with code, path and line', () => {
    expect(
      problems.map(({ severity, code, path, line }) => [`${severity} ${code}`, path, lines[line - 1]]),
    ).toEqual(told.map(([what, path, line]) => [what, path, line]))
  })
  test('has a remedy, and a code that is documented', () => {
    problems.forEach(({ remedy, code, file }, index) => {
      expect(remedy).toMatch(told[index]?.[3] ?? /^$/)
      expect(PROBLEM_CODES).toHaveProperty([code])
      expect(file).toBe(`${name}.yaml`)
    })
  })
  test('nothing of it is taken where it is an error', () => {
    const isRefused = told.some(([what]) => what.startsWith('error'))
    expect(objects.length === 0).toBe(isRefused)
    if (isRefused) expect(definitions.size).toBe(0)
  })
})

test('1.12 all mistakes of all files are told together, and one of them refuses the whole bundle', () => {
  const { objects, problems } = readSlos([
    { file: 'good.yaml', text: 'apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: a\nspec: {}\n' },
    { file: 'first.yaml', text: readFileSync(new URL('objective-of-one.yaml', FOLDER), 'utf8') },
    { file: 'second.yaml', text: readFileSync(new URL('no-yaml.yaml', FOLDER), 'utf8') },
    { file: 'third.yaml', text: readFileSync(new URL('unknown-zone.yaml', FOLDER), 'utf8') },
  ])
  expect(objects).toEqual([])
  expect(new Set(problems.map(({ file }) => file))).toEqual(
    new Set(['first.yaml', 'second.yaml', 'third.yaml']),
  )
})
