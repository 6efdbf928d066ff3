// From what is written to what is executed: every kind of indicator, windows, budgeting methods, our annotations.

import { describe, expect, test } from 'vitest'
import { Outcome as OF_THE_API } from '../http/schemas.ts'
import {
  GOOD_OUTCOMES,
  isJourney,
  OUTCOMES,
  stepMsOf,
  type Indicator,
  type SloDefinition,
} from '../slo/model.ts'
import { ANNOTATION_NAMES } from './annotations.ts'
import { definitionsOf, readSlos, type BundleOptions } from './bundle.ts'
import type { Resolver } from './references.ts'
import { targetRatio } from './target.ts'

type Fields = Record<string, unknown>
const source = (spec: Fields, type = 'Surety') => ({ metricSource: { type, spec } })
const sli = (spec: Fields) => ({ metadata: { name: 'sli' }, spec })
const ratio = (total: Fields, part: Fields, which = 'good', type = 'Surety') =>
  sli({ ratioMetric: { counter: true, [which]: source(part, type), total: source(total, type) } })
const PAY = ratio({ signal: 'requests', where: { service: 'pay' } }, { outcomes: ['ok'] })
const slo = (spec: Fields = {}, annotations: Fields = {}, name = 'pay') => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name, annotations },
  spec: {
    service: 'pay',
    ...('objectives' in spec && JSON.stringify(spec['objectives']).includes('indicator')
      ? {}
      : { indicator: PAY }),
    timeWindow: [{ duration: '30d', isRolling: true }],
    budgetingMethod: 'Occurrences',
    objectives: [{ target: 0.999 }],
    ...spec,
  },
})
const read = (given: unknown, options?: BundleOptions) =>
  readSlos([{ file: 'a.yaml', text: JSON.stringify(given) }], options)
function definitionOf(given: unknown): SloDefinition {
  const { definitions, problems } = read(given)
  const [definition] = definitions.values()
  if (definition === undefined) throw new Error(JSON.stringify(problems))
  return definition
}
const indicatorOf = (indicator: unknown, objective: Fields = { target: 0.9 }): Indicator | undefined =>
  definitionOf(slo({ indicator, objectives: [objective] })).indicators[0]
const told = (given: unknown) =>
  read(given).problems.map(({ severity, code, path }) => `${severity} ${code} ${path}`)

describe('1.4 targets in both forms are the same number to the last bit', () => {
  test.each([
    [99.9, 0.999],
    [99.95, 0.9995],
    [99.99, 0.9999],
    [99.999, 0.99999],
    [95, 0.95],
    [5, 0.05],
    [0, 0],
    [1e-7, 1e-9],
  ])('%d percent is %d', (percent, want) => {
    expect(targetRatio({ targetPercent: percent })).toBe(want)
    expect(definitionOf(slo({ objectives: [{ targetPercent: percent }] }))).toEqual(
      definitionOf(slo({ objectives: [{ target: want }] })),
    )
  })
})

test('outcomes are those of the API', () => {
  expect(OUTCOMES).toEqual(OF_THE_API.options)
})

describe('requests', () => {
  const request = {
    kind: 'requests',
    isEntry: false,
    traffic: ['live'],
    groupBy: [],
    groupsMax: 1,
    fallback: undefined,
  }

  test('by dimensions and attributes; only live traffic unless it is asked', () => {
    expect(
      indicatorOf(
        ratio(
          {
            signal: 'requests',
            where: {
              service: 'pay',
              channel: ['mobile', 'counter', 'mobile'],
              attributes: { 'bank.product': 'loan' },
            },
            except: { operation: 'GET /healthz' },
          },
          { outcomes: ['business_reject', 'ok'] },
        ),
      ),
    ).toEqual({
      ...request,
      where: [
        { subject: { kind: 'attribute', key: 'bank.product' }, isExcluded: false, values: ['loan'] },
        { subject: { kind: 'dimension', name: 'channel' }, isExcluded: false, values: ['counter', 'mobile'] },
        { subject: { kind: 'dimension', name: 'operation' }, isExcluded: true, values: ['GET /healthz'] },
        { subject: { kind: 'dimension', name: 'service' }, isExcluded: false, values: ['pay'] },
      ],
      good: { outcomes: GOOD_OUTCOMES, withinMs: undefined, returnCodes: undefined },
    })
    expect(
      indicatorOf(ratio({ signal: 'requests', traffic: ['stress', 'drill'] }, { outcomes: ['ok'] })),
    ).toMatchObject({
      traffic: ['drill', 'stress'],
    })
  })

  test('1.10 good and total, bad and total on the same events are the same question', () => {
    const total = { signal: 'requests', where: { service: 'pay' } }
    expect(
      indicatorOf(ratio(total, { outcomes: ['business_error', 'shed', 'system_error'] }, 'bad')),
    ).toEqual(indicatorOf(ratio(total, { outcomes: ['ok', 'business_reject'] })))
    expect(
      indicatorOf(ratio(total, { outcomes: ['business_error', 'shed', 'system_error'], overMs: 500 }, 'bad')),
    ).toEqual(indicatorOf(ratio(total, { withinMs: 500 })))
    expect(indicatorOf(ratio(total, { returnCodes: ['PAY5001'] }, 'bad'))).toEqual(
      indicatorOf(ratio(total, { exceptReturnCodes: ['PAY5001'] })),
    )
  })

  test('business success by return code, whatever the outcome', () => {
    expect(indicatorOf(ratio({ signal: 'requests' }, { returnCodes: ['PAY0000', 'LIM0021'] }))).toMatchObject(
      {
        good: { outcomes: OUTCOMES, returnCodes: { isExcluded: false, codes: ['LIM0021', 'PAY0000'] } },
      },
    )
  })

  test('latency by any threshold: within it is good, and below it ends a nanosecond before', () => {
    const latency = sli({
      thresholdMetric: source({ signal: 'requests', where: { service: 'pay' }, measure: 'latency' }),
    })
    const within = (op: string, value: number) =>
      (indicatorOf(latency, { op, value, target: 0.9 }) as { good: { withinMs: number } }).good.withinMs
    expect(within('lte', 333.25)).toBe(333.25)
    expect(Math.round(within('lt', 500) * 1e6)).toBe(499_999_999)
    expect(Math.round(within('lt', 3_600_000) * 1e6)).toBe(3_599_999_999_999)
    expect(indicatorOf(ratio({ signal: 'requests' }, { withinMs: 250 }))).toMatchObject({
      good: { withinMs: 250, outcomes: GOOD_OUTCOMES },
    })
  })

  test('several thresholds are several indicators, the same threshold is one', () => {
    const latency = sli({ thresholdMetric: source({ signal: 'requests', measure: 'latency' }) })
    const objective = (value: number, target: number) => ({ op: 'lte', value, target })
    const { indicators, objectives } = definitionOf(
      slo({
        indicator: latency,
        objectives: [objective(200, 0.9), objective(500, 0.99), objective(200, 0.95)],
      }),
    )
    expect(indicators).toHaveLength(2)
    expect(objectives.map(({ indicator, targetRatio: target }) => [indicator, target])).toEqual([
      [0, 0.9],
      [1, 0.99],
      [0, 0.95],
    ])
  })

  test('a journey is a business transaction where the customer comes in', () => {
    const journey = indicatorOf(
      ratio(
        { signal: 'journey', txnCode: 'transfer.intra', where: { channel: 'mobile' } },
        { outcomes: ['ok'] },
      ),
    )
    expect(journey).toMatchObject({
      isEntry: true,
      where: [{ subject: { name: 'channel' } }, { subject: { name: 'txnCode' }, values: ['transfer.intra'] }],
    })
    expect(journey !== undefined && isJourney(journey)).toBe(true)
  })

  test('groups have a bound', () => {
    const grouped = (more: Fields) =>
      indicatorOf(
        ratio(
          { signal: 'requests', groupBy: ['region', { attribute: 'bank.product' }], ...more },
          { outcomes: ['ok'] },
        ),
      )
    expect(grouped({})).toMatchObject({
      groupBy: [{ name: 'region' }, { key: 'bank.product' }],
      groupsMax: 100,
    })
    expect(grouped({ groupsMax: 7 })).toMatchObject({ groupsMax: 7 })
  })

  test('a probe stands in where there is little traffic', () => {
    const probe = { url: 'https://pay.example/health' }
    expect(
      indicatorOf(ratio({ signal: 'requests', fallback: { below: 20, probe } }, { outcomes: ['ok'] })),
    ).toMatchObject({
      fallback: {
        totalMin: 20,
        probe: {
          kind: 'probe',
          metric: 'httpcheck.status',
          matchers: [
            { label: 'http.status_class', op: '=', value: '2xx' },
            { label: 'http.url', op: '=', value: 'https://pay.example/health' },
          ],
        },
      },
    })
  })

  test('the order in which things are written makes no other question', () => {
    const one = ratio(
      { signal: 'requests', where: { service: 'a', channel: ['x', 'y'] } },
      { outcomes: ['ok', 'shed'] },
    )
    const other = ratio(
      { where: { channel: ['y', 'x'], service: 'a' }, signal: 'requests' },
      { outcomes: ['shed', 'ok'] },
    )
    expect(JSON.stringify(indicatorOf(one))).toBe(JSON.stringify(indicatorOf(other)))
  })
})

describe('probes and metrics', () => {
  const raw = (spec: Fields, rawType = 'success', type = 'Surety') =>
    sli({ ratioMetric: { raw: source(spec, type), rawType } })
  test('a probe alone, by its address or by any metric', () => {
    expect(indicatorOf(raw({ signal: 'probe', url: 'https://x', statusClass: '3xx' }))).toMatchObject({
      kind: 'probe',
      metric: 'httpcheck.status',
    })
    expect(indicatorOf(raw({ signal: 'probe', selector: 'probe_success{instance="x"}' }))).toEqual({
      kind: 'probe',
      metric: 'probe_success',
      matchers: [{ label: 'instance', op: '=', value: 'x' }],
    })
  })
  test('a ratio of two metrics, by selectors and by PromQL alike', () => {
    const ours = ratio(
      { signal: 'metric', selector: 'http_total{job="pay"}' },
      { selector: 'http_total{job="pay",code=~"2.."}' },
    )
    const prometheus = ratio(
      { query: 'sum(rate(http_total{job="pay"}[{{.window}}]))' },
      { query: 'sum(rate(http_total{code=~"2..",job="pay"}[{{.window}}]))' },
      'good',
      'Prometheus',
    )
    expect(indicatorOf(ours)).toEqual(indicatorOf(prometheus))
    expect(indicatorOf(ours)).toMatchObject({
      kind: 'metric-ratio',
      partIs: 'good',
      total: { counted: 'increase' },
    })
  })
  test('1.10 raw failure is inverted: it counts what is bad', () => {
    const query = 'sum(rate(bad[{{.window}}])) / sum(rate(all[{{.window}}]))'
    expect(indicatorOf(raw({ query }, 'failure', 'Prometheus'))).toMatchObject({
      partIs: 'bad',
      part: { metric: 'bad' },
    })
    expect(indicatorOf(raw({ query }, 'success', 'Prometheus'))).toMatchObject({
      partIs: 'good',
      part: { metric: 'bad' },
    })
    expect(indicatorOf(raw({ query: `1 - ${query}` }, 'success', 'Prometheus'))).toMatchObject({
      partIs: 'bad',
      part: { metric: 'bad' },
    })
  })
  test('a threshold on a metric', () => {
    const threshold = sli({
      thresholdMetric: source({ signal: 'metric', selector: 'queue_depth{queue="in"}', function: 'p99' }),
    })
    expect(indicatorOf(threshold, { op: 'lt', value: 100, target: 0.9 })).toEqual({
      kind: 'metric-threshold',
      query: { metric: 'queue_depth', matchers: [{ label: 'queue', op: '=', value: 'in' }], function: 'p99' },
      op: 'lt',
      value: 100,
    })
  })
  test('what others measure is kept and told as not measured', () => {
    const { objects, definitions, problems } = read(
      slo({ indicator: ratio({ query: 'x' }, { query: 'y' }, 'good', 'Datadog') }),
    )
    expect([objects.length, definitions.size]).toEqual([1, 0])
    expect(problems.map(({ severity, code }) => [severity, code])).toEqual([['warning', 'not-measured']])
  })
  test('the type of a data source is taken where the metric says none', () => {
    const referred = {
      metricSource: { metricSourceRef: 'prom', spec: { query: 'sum(rate(x[{{.window}}]))' } },
    }
    const { definitions } = read([
      {
        apiVersion: 'openslo/v1',
        kind: 'DataSource',
        metadata: { name: 'prom' },
        spec: { type: 'prometheus', connectionDetails: {} },
      },
      slo({ indicator: sli({ ratioMetric: { counter: true, good: referred, total: referred } }) }),
    ])
    expect(definitions.size).toBe(1)
  })
})

describe('an SLI by its name', () => {
  const named = {
    apiVersion: 'openslo/v1',
    kind: 'SLI',
    metadata: { name: 'fast' },
    spec: { thresholdMetric: source({ signal: 'requests', measure: 'latency' }) },
  }
  test('is the same as one inline', () => {
    const objectives = [{ op: 'lte', value: 500, target: 0.9 }]
    const { definitions } = read([named, slo({ indicator: undefined, indicatorRef: 'fast', objectives })])
    expect([...definitions.values()][0]).toEqual(
      definitionOf(slo({ indicator: sli(named.spec), objectives })),
    )
  })
  test('that is a threshold asks its objective for op and value', () => {
    expect(told([named, slo({ indicator: undefined, indicatorRef: 'fast' })])).toEqual([
      'error required spec.objectives[0].op',
      'error required spec.objectives[0].value',
    ])
  })
  test('tells what is wrong with it once, where it stands', () => {
    const wrong = { ...named, spec: { thresholdMetric: source({ signal: 'requests', mesure: 'latency' }) } }
    const objectives = [{ op: 'lte', value: 500, target: 0.9 }]
    const { problems } = read([wrong, slo({ indicator: undefined, indicatorRef: 'fast', objectives })])
    expect(problems.filter(({ severity }) => severity === 'error').map(({ path }) => path)).toEqual([
      'spec.thresholdMetric.metricSource.spec.mesure',
    ])
  })
})

describe('windows and budgeting', () => {
  const calendar = { startTime: '2024-01-31 12:30:00', timeZone: 'Asia/Shanghai' }
  test.each([
    ['30d', undefined, { kind: 'rolling', durationMs: 30 * 86_400_000 }],
    ['1Q', undefined, { kind: 'rolling', durationMs: 90 * 86_400_000 }],
    [
      '1M',
      calendar,
      { kind: 'calendar', unit: 'month', count: 1, timeZone: 'Asia/Shanghai', start: '2024-01-31 12:30:00' },
    ],
    [
      '2w',
      calendar,
      { kind: 'calendar', unit: 'week', count: 2, timeZone: 'Asia/Shanghai', start: '2024-01-31 12:30:00' },
    ],
    [
      '1Y',
      calendar,
      { kind: 'calendar', unit: 'year', count: 1, timeZone: 'Asia/Shanghai', start: '2024-01-31 12:30:00' },
    ],
  ])('%s %j', (duration, from, want) => {
    const window =
      from === undefined ? { duration, isRolling: true } : { duration, isRolling: false, calendar: from }
    expect(definitionOf(slo({ timeWindow: [window] })).window).toEqual(want)
  })
  test.each([
    ['Occurrences', {}, { method: 'Occurrences' }],
    [
      'Timeslices',
      { timeSliceTarget: 0.95, timeSliceWindow: '1m' },
      { method: 'Timeslices', timeSliceMs: 60_000, timeSliceTarget: 0.95, emptySlices: 'good' },
    ],
    ['RatioTimeslices', { timeSliceWindow: 5 }, { method: 'RatioTimeslices', timeSliceMs: 300_000 }],
  ])('%s', (budgetingMethod, more, want) => {
    expect(
      definitionOf(slo({ budgetingMethod, objectives: [{ target: 0.9, ...more }] })).objectives[0]?.budgeting,
    ).toEqual(want)
  })
  test('a slice that does not divide the window is refused', () => {
    expect(
      told(slo({ budgetingMethod: 'RatioTimeslices', objectives: [{ target: 0.9, timeSliceWindow: '7m' }] })),
    ).toEqual(['error slice spec.objectives[0].timeSliceWindow'])
  })
})

describe('composites', () => {
  const part = (of: string) => ({
    metadata: { name: of },
    spec: { ratioMetric: { raw: source({ signal: 'slo', slo: of }), rawType: 'success' } },
  })
  const parts = [slo({}, {}, 'a'), slo({}, {}, 'b')]
  const whole = (objectives: Fields[], annotations: Fields = {}) => slo({ objectives }, annotations, 'whole')
  test('add up objectives with indicators of their own, by weight; the target is the lowest unless said', () => {
    const objectives = [
      { target: 0.99, compositeWeight: 2, indicator: part('a') },
      { target: 0.95, indicator: part('b') },
      { target: 0.9999, indicator: PAY },
    ]
    const definition = read([...parts, whole(objectives)]).definitions.get('whole')
    expect(definition).toMatchObject({
      composite: { targetRatio: 0.95 },
      indicators: [{ kind: 'slo', slo: 'a' }, { kind: 'slo', slo: 'b' }, { kind: 'requests' }],
      objectives: [{ weight: 2 }, { weight: 1 }, { weight: 1 }],
    })
    const said = read([...parts, whole(objectives, { 'surety/composite-target': '0.97' })]).definitions.get(
      'whole',
    )
    expect(said?.composite).toEqual({ targetRatio: 0.97 })
  })
  test('of an SLO that is not there are refused', () => {
    expect(told(whole([{ target: 0.9, indicator: part('nobody') }]))).toEqual([
      'error dangling spec.objectives[0].indicator.spec.ratioMetric.raw.metricSource.spec.slo',
    ])
  })
  test('that close a circle through what is kept are refused at the reference that leads there', () => {
    const kept = ((kind: string, name: string) =>
      kind === 'SLO' && name === 'b'
        ? slo({ objectives: [{ target: 0.9, indicator: part('whole') }] }, {}, 'b')
        : undefined) as Resolver
    const { problems } = read(whole([{ target: 0.9, indicator: part('b') }]), { kept })
    expect(problems.map(({ code, path, message }) => [code, path, message])).toEqual([
      [
        'cycle',
        'spec.objectives[0].indicator.spec.ratioMetric.raw.metricSource.spec.slo',
        'contains itself: whole → b → whole',
      ],
    ])
  })
  test('have no groups', () => {
    const grouped = ratio({ signal: 'requests', groupBy: ['region'] }, { outcomes: ['ok'] })
    expect(told(whole([{ target: 0.9, indicator: grouped }]))).toEqual(['error groups spec.objectives[0]'])
  })
})

describe('annotations', () => {
  test('all of them', () => {
    const definition = definitionOf(
      slo(
        {},
        {
          'surety/tier': 'critical',
          'surety/burn-profile': 'workbook-28d',
          'surety/alert-severities': 'ticket, page',
          'surety/min-total': '50',
          'surety/min-bad': '0',
          'surety/outage-ratio': '0.25',
          'surety/missing-data': 'bad',
          'surety/coverage-floor': '0.95',
          'surety/imported-from': 'somewhere',
          'other.example/x': 'y',
        },
      ),
    )
    expect(definition).toMatchObject({
      tier: 'critical',
      burnProfile: 'workbook-28d',
      severities: ['page', 'ticket'],
      minTotal: 50,
      minBad: 0,
      outage: { failingRatio: 0.25, totalMin: 20 },
      missingData: 'bad',
      coverageFloor: 0.95,
    })
    expect(stepMsOf(definition)).toBe(10_000)
  })
  test('without any, what the tier and the method say', () => {
    const definition = definitionOf(slo())
    expect(definition).toMatchObject({
      tier: undefined,
      minTotal: undefined,
      outage: undefined,
      missingData: 'freeze',
      coverageFloor: 0.9,
    })
    expect([stepMsOf(definition), stepMsOf(definition, 'critical')]).toEqual([60_000, 10_000])
    expect(stepMsOf(definitionOf(slo({}, { 'surety/step': '60s' })), 'critical')).toBe(60_000)
    expect(
      definitionOf(slo({}, { 'surety/outage-ratio': 'off', 'surety/alert-severities': 'none' })),
    ).toMatchObject({ outage: 'off', severities: [] })
  })
  test.each([
    ['surety/tier', 'vital'],
    ['surety/step', '5s'],
    ['surety/min-bad', '-1'],
    ['surety/min-bad', '1.5'],
    ['surety/coverage-floor', '0'],
    ['surety/coverage-floor', '90%'],
    ['surety/outage-ratio', '2'],
    ['surety/composite-target', '1'],
    ['surety/alert-severities', 'page,shout'],
    ['surety/burn-profile', '../etc'],
  ])('%s: %s is refused at its place', (key, value) => {
    expect(told(slo({}, { [key]: value }))).toEqual([`error annotation metadata.annotations["${key}"]`])
  })
  test('a burn profile that nobody has is refused where profiles are known', () => {
    const given = slo({}, { 'surety/burn-profile': 'mine' })
    expect(read(given, { isProfile: (name) => name === 'mine' }).problems).toEqual([])
    expect(read(given, { isProfile: () => false }).problems.map(({ code }) => code)).toEqual(['annotation'])
  })
  test('of SLOs say nothing elsewhere', () => {
    const service = {
      apiVersion: 'openslo/v1',
      kind: 'Service',
      metadata: { name: 'a', annotations: { 'surety/tier': 'critical' } },
      spec: {},
    }
    expect(told(service)).toEqual(['error unknown-annotation metadata.annotations["surety/tier"]'])
  })
  test('are all documented', async () => {
    const { readFile } = await import('node:fs/promises')
    const text = await readFile(new URL('../../deploy/slos/README.md', import.meta.url), 'utf8')
    const documented = [...text.matchAll(/^\| `surety\/([a-z-]+)`/gm)].map((match) => match[1])
    expect(new Set(documented)).toEqual(new Set(ANNOTATION_NAMES))
  })
})

test('alert policies are resolved to single-window rules', () => {
  const kind = (name: string, apiKind: string, spec: Fields) => ({
    apiVersion: 'openslo/v1',
    kind: apiKind,
    metadata: { name },
    spec,
  })
  const { definitions } = read([
    kind('burn', 'AlertCondition', {
      severity: 'page',
      condition: { kind: 'burnrate', op: 'gte', threshold: 2, lookbackWindow: '1h', alertAfter: '5m' },
    }),
    kind('devs', 'AlertNotificationTarget', { target: 'email' }),
    kind('policy', 'AlertPolicy', {
      alertWhenNoData: true,
      conditions: [{ conditionRef: 'burn' }],
      notificationTargets: [{ targetRef: 'devs' }],
    }),
    slo({ alertPolicies: [{ alertPolicyRef: 'policy' }] }),
  ])
  expect(definitions.get('pay')?.alertRules).toEqual([
    {
      policy: 'policy',
      condition: 'burn',
      severity: 'page',
      op: 'gte',
      burnRate: 2,
      lookbackMs: 3_600_000,
      alertAfterMs: 300_000,
      when: { noData: true, resolved: false, breaching: false },
      targets: [{ name: 'devs', target: 'email' }],
    },
  ])
})

test('objects that are kept have the definitions that they had when they were read', () => {
  const { objects, definitions } = read([slo(), slo({}, { 'surety/tier': 'critical' }, 'other')])
  expect([...definitionsOf(objects)]).toEqual([...definitions])
})
