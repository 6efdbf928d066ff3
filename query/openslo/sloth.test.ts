// Sloth's own examples: kept as ratios of metrics where the queries are in the part of PromQL that is executed, else refused with
// the reason.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readSlos } from './bundle.ts'

const FIXTURES = new URL('../../test/fixtures/sloth/', import.meta.url)
const WHOLE = new URL('../../../shared/data/sloth/', import.meta.url)

/** SLOs that are taken, or the reasons why not: path, what is told. Sloth itself takes all of them. */
const VERDICTS: Readonly<Record<string, number | readonly (readonly [string, RegExp])[]>> = {
  'getting-started.yml': 1,
  'k8s-getting-started.yml': 1,
  'multifile.yml': 2,
  'k8s-multifile.yml': 2,
  'no-alerts.yml': 1,
  'kubernetes-apiserver.yml': 2,
  'contrib-slo-plugins.yml': 2,
  'contrib-denominator-corrected.yaml': 1,
  'slo-plugin-getting-started.yml': 1,
  'slo-plugin-k8s-getting-started.yml': 1,
  'openslo-getting-started.yml': 1,
  'openslo-kubernetes-apiserver.yml': 3,
  'home-wifi.yml': [0, 1].flatMap((slo) =>
    ['error_query', 'total_query'].map((query) => [`slos[${slo}].sli.events.${query}`, /subquery/] as const),
  ),
  'k8s-home-wifi.yml': [0, 1].flatMap((slo) =>
    ['errorQuery', 'totalQuery'].map(
      (query) => [`spec.slos[${slo}].sli.events.${query}`, /subquery/] as const,
    ),
  ),
  'raw-home-wifi.yml': [['slos[0].sli.raw.error_ratio_query', /sum_over_time/]],
  'plugin-getting-started.yml': [['slos[0].sli.plugin.id', /makes the queries/]],
  'plugin-k8s-getting-started.yml': [['spec.slos[0].sli.plugin.id', /makes the queries/]],
  'victoria-metrics.yml': [0, 1].flatMap((slo) => [
    [`slos[${slo}].sli.events.error_query`, /by «-»/] as const,
    [`slos[${slo}].sli.events.total_query`, /subquery/] as const,
  ]),
  'windows/7d.yaml': [['kind', /AlertWindows/]],
  'windows/custom-30d.yaml': [['kind', /AlertWindows/]],
}

const filesOf = (root: URL) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.ya?ml$/.test(name) && !name.startsWith('_gen'),
  )
const read = (root: URL, file: string) =>
  readSlos([{ file, text: readFileSync(new URL(file, root), 'utf8') }])
const roots = [
  { name: 'the slice in the project', root: FIXTURES, isWhole: false },
  { name: 'the whole corpus', root: WHOLE, isWhole: true },
].filter(({ root }) => existsSync(fileURLToPath(root)))

describe.each(roots)('$name', ({ root, isWhole }) => {
  test('has a verdict for every file', () => {
    const known = Object.keys(VERDICTS).toSorted()
    const files = filesOf(root).toSorted()
    expect(files.filter((file) => !known.includes(file))).toEqual([])
    if (isWhole) expect(files).toEqual(known)
  })

  test.each(filesOf(root))('%s is kept as ratios of metrics, or refused with the reason', (file) => {
    const verdict = VERDICTS[file] ?? 0
    const { definitions, problems } = read(root, file)
    const errors = problems.filter(({ severity }) => severity === 'error')
    if (typeof verdict === 'number') {
      expect(errors).toEqual([])
      const kinds = [...definitions.values()].flatMap(({ indicators }) => indicators.map(({ kind }) => kind))
      expect(kinds).toEqual(Array.from({ length: verdict }, () => 'metric-ratio'))
      return
    }
    expect(errors.map(({ path }) => path)).toEqual(verdict.map(([path]) => path))
    errors.forEach(({ message, line }, index) => {
      expect(message).toMatch(verdict[index]?.[1] ?? /^$/)
      expect(line).toBeGreaterThan(1)
    })
  })
})

test('the plain form and that of Kubernetes come to the same promise', () => {
  const [plain] = read(FIXTURES, 'getting-started.yml').definitions.values()
  const [kubernetes] = read(FIXTURES, 'k8s-getting-started.yml').definitions.values()
  expect(kubernetes).toEqual(plain)
  expect(plain).toMatchObject({
    name: 'myservice-requests-availability',
    service: 'myservice',
    labels: { owner: ['myteam'], tier: ['2'] },
    window: { kind: 'rolling', durationMs: 30 * 86_400_000 },
    objectives: [{ targetRatio: 0.999, budgeting: { method: 'Occurrences' } }],
    indicators: [
      {
        kind: 'metric-ratio',
        partIs: 'bad',
        part: {
          metric: 'http_request_duration_seconds_count',
          counted: 'increase',
          matchers: [
            { label: 'code', op: '=~', value: '(5..|429)' },
            { label: 'job', op: '=', value: 'myservice' },
          ],
        },
        total: { matchers: [{ label: 'job', op: '=', value: 'myservice' }] },
      },
    ],
  })
})

test('latency by buckets, all but the fast ones, is read as the fast ones of all', () => {
  const latency = read(FIXTURES, 'kubernetes-apiserver.yml').definitions.get('k8s-apiserver-requests-latency')
  expect(latency?.indicators).toMatchObject([
    {
      partIs: 'good',
      part: {
        metric: 'apiserver_request_duration_seconds_bucket',
        matchers: [
          { label: 'le', value: '0.4' },
          { label: 'verb', op: '!=' },
        ],
      },
      total: { metric: 'apiserver_request_duration_seconds_count' },
    },
  ])
})

test('alerts that are switched off stay off', () => {
  const [slo] = read(FIXTURES, 'no-alerts.yml').definitions.values()
  expect(slo?.severities).toEqual([])
})

test('what is not taken over is told', () => {
  const { problems } = read(FIXTURES, 'getting-started.yml')
  expect(problems.map(({ severity, code, path }) => [severity, code, path])).toEqual([
    ['warning', 'not-kept', 'slos[0].alerting'],
  ])
})

const sloth = (slo: string, more = '') =>
  readSlos([
    { file: 's.yml', text: `version: prometheus/v1\nservice: pay\n${more}slos:\n  - name: a\n${slo}` },
  ])
const events = (bad: string, all: string) =>
  `    sli:\n      events:\n        error_query: ${bad}\n        total_query: ${all}\n`

describe('what Sloth takes and we refuse', () => {
  test.each([
    {
      what: 'an objective of 100 leaves no budget',
      text: `    objective: 100\n${events('rate(b[{{.window}}])', 'rate(a[{{.window}}])')}`,
      want: ['invalid slos[0].objective'],
    },
    {
      what: 'rate over increase is no ratio',
      text: `    objective: 99\n${events('rate(b[{{.window}}])', 'increase(a[{{.window}}])')}`,
      want: ['query slos[0].sli.events'],
    },
    {
      what: 'a plugin that may count otherwise',
      text: `    objective: 99\n    plugins:\n      chain:\n        - id: mine/v1\n${events('rate(b[{{.window}}])', 'rate(a[{{.window}}])')}`,
      want: ['sloth-plugin slos[0].plugins.chain[0].id'],
    },
    {
      what: 'a word that is misspelled',
      text: `    objektive: 99\n${events('rate(b[{{.window}}])', 'rate(a[{{.window}}])')}`,
      want: ['unknown-field slos[0].objektive', 'required slos[0].objective'],
    },
  ])('$what', ({ text, want }) => {
    const { objects, problems } = sloth(text)
    expect(objects).toEqual([])
    expect(problems.map(({ code, path }) => `${code} ${path}`).toSorted()).toEqual(want.toSorted())
  })
})

test('a raw error ratio that is a division is kept', () => {
  const { definitions } = sloth(
    '    objective: 99\n    sli:\n      raw:\n        error_ratio_query: 1 - rate(good[{{.window}}]) / rate(all[{{.window}}])\n',
  )
  expect([...definitions.values()][0]?.indicators).toMatchObject([
    { partIs: 'good', part: { metric: 'good' }, total: { metric: 'all' } },
  ])
})
