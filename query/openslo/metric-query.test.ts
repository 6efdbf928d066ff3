// The part of PromQL that is executed, and the reason for what is not.

import { describe, expect, test } from 'vitest'
import { readDifference, readEvents, readRatio, readSelector, readThreshold } from './metric-query.ts'

const code = { label: 'code', op: '=~', value: '5..|429' } as const
const job = { label: 'job', op: '=', value: 'pay' } as const

describe('counts that are read', () => {
  test.each([
    { text: 'sum(rate(http_total{job="pay",code=~"5..|429"}[{{.window}}]))', by: 'rate' },
    { text: 'sum( rate( http_total{code=~"5..|429", job="pay",}[ {{ .window }} ] ) )', by: 'rate' },
    { text: '(sum(rate(http_total{job="pay",code=~"5..|429"}[{{.window}}])))', by: 'rate' },
    { text: 'sum by () (rate(http_total{job="pay",code=~"5..|429"}[{{.window}}])) or vector(0)', by: 'rate' },
    { text: 'sum(rate(http_total{job="pay",code=~"5..|429"}[{{.window}}]) OR on() vector(0))', by: 'rate' },
    {
      text: 'sum(increase({__name__="http_total",job=\'pay\',code=~`5..|429`}[{{.window}}]))',
      by: 'increase',
    },
    { text: 'rate({"http_total", job="pay", code=~"5..|429"}[{{.window}}]) # a comment', by: 'rate' },
    { text: 'http_total{job="pay",code=~"5..|429"}', by: 'none' },
  ])('$text', ({ text, by }) => {
    expect(readEvents(text, true)).toEqual({
      value: { events: { metric: 'http_total', matchers: [code, job], counted: 'increase' }, by, notes: [] },
    })
  })

  test('a range of its own is read and noted', () => {
    expect(readEvents('sum(rate(http_total[5m]))', true)).toMatchObject({
      value: { notes: ['range-ignored'] },
    })
  })
  test('what is no counter adds its samples up', () => {
    expect(readEvents('sum(orders)', false)).toMatchObject({
      value: { events: { metric: 'orders', counted: 'sum' } },
    })
  })
  test('names with dots, and quotes in values', () => {
    expect(readSelector('{"http.server.requests", "bank.code"="a\\"b"}')).toEqual({
      value: { metric: 'http.server.requests', matchers: [{ label: 'bank.code', op: '=', value: 'a"b' }] },
    })
  })
})

describe('counts that are refused, with the reason', () => {
  test.each([
    ['sum by (code) (rate(x[{{.window}}]))', /groups by \(code\)/],
    ['sum(rate(x[{{.window}}])) without (pod)', /groups without \(pod\)/],
    ['sum(rate(x[{{.window}}])) - sum(rate(y[{{.window}}]))', /combines two expressions by «-»/],
    ['sum(rate(x[{{.window}}])) * 2', /combines two expressions by «\*»/],
    ['sum_over_time((count(x < 0.75))[{{.window}}:]) OR on() vector(0)', /subquery/],
    ['histogram_quantile(0.9, sum(rate(x[{{.window}}])))', /the function histogram_quantile/],
    ['irate(x[{{.window}}])', /the function irate/],
    ['rate(x)', /rate without a range/],
    ['x[{{.window}}]', /no function of it/],
    ['rate(x[{{.window}}] offset 1h)', /moves in time by «offset»/],
    ['rate(x[{{.window}}] @ 5)', /moves in time by «@»/],
    ['-x', /a sign «-»/],
    ['x{code=~"("}', /pattern that cannot be read/],
    ['x{code=~"(?=a)"}', /pattern that cannot be read/],
    ['{code="200"}', /names no metric/],
    ['x{code=200}', /matcher of «code»/],
    ['x{code="200"', /where «,» is expected/],
    ['sum(', /ends too early/],
    ['x y', /cannot be read from «y» on/],
    ['5', /is a number/],
    ["x'; DROP TABLE spans", /cannot be read at/],
    ['(((((((((((((((((((((((((((((((((((((((((((((((((((((x', /nests too deeply/],
    ['x'.repeat(5000), /longer than 4000/],
    ['', /ends too early/],
  ])('%s', (text, reason) => {
    const read = readEvents(text, true)
    expect('reason' in read ? read.reason : 'it was read').toMatch(reason)
  })
})

test('a raw ratio is one division, or one minus it', () => {
  expect(readRatio('sum(rate(bad[{{.window}}])) / sum(rate(all[{{.window}}]))', true)).toEqual({
    value: { part: 'sum(rate(bad[{{.window}}]))', total: 'sum(rate(all[{{.window}}]))', isInverted: false },
  })
  expect(readRatio('1 - (rate(good[{{.window}}]) / rate(all[{{.window}}]))', true)).toMatchObject({
    value: { isInverted: true },
  })
  expect(readRatio('rate(bad[{{.window}}])', true)).toEqual({ reason: 'is no division of two counts' })
})

test('all but the good ones: both sides as written', () => {
  expect(
    readDifference('(\n sum(rate(x_count[{{.window}}]))\n -\n sum(rate(x_bucket{le="0.4"}[{{.window}}])) )'),
  ).toEqual({
    value: { all: 'sum(rate(x_count[{{.window}}]))', less: 'sum(rate(x_bucket{le="0.4"}[{{.window}}]))' },
  })
})

describe('thresholds: one function says both over time and across series', () => {
  test.each([
    ['queue_depth{job="pay"}', 'last'],
    ['max(queue_depth{job="pay"})', 'max'],
    ['avg(avg_over_time(queue_depth{job="pay"}[{{.window}}]))', 'avg'],
    ['sum(rate(queue_depth{job="pay"}[1m]))', 'rate'],
    ['sum(queue_depth{job="pay"})', 'sum'],
  ])('%s', (text, fn) => {
    expect(readThreshold(text)).toEqual({ value: { metric: 'queue_depth', matchers: [job], function: fn } })
  })
  test.each([
    ['sum(min_over_time(x[2m]))', /sum across series of min over time/],
    ['quantile_over_time(0.9, x[2m])', /the function quantile_over_time/],
    ['max by (pod) (x)', /groups by \(pod\)/],
  ])('%s is refused', (text, reason) => {
    const read = readThreshold(text)
    expect('reason' in read ? read.reason : 'it was read').toMatch(reason)
  })
})
