// Slices as they are measured from spans and rollups of a real store, kept and read back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../ingest/store/store.ts'
import type { RequestQuestion } from '../../query/measure/families.ts'
import { measureSlices } from '../../query/measure/measure.ts'
import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import { readSlices, revisionAt, sumSlices, writeSlices } from '../../query/measure/slice-store.ts'
import { GOOD_OUTCOMES, OUTCOMES, type Dimension, type RequestIndicator } from '../../query/slo/model.ts'
import { openTestStore } from '../support/empty-data.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-slices-'))
let store: Store
const MINUTE = 60
const BEGIN = Math.floor(Date.now() / 60_000) * MINUTE - 30 * MINUTE

const question = (
  series: string,
  { stepSeconds = 60, ...more }: Partial<RequestIndicator> & { readonly stepSeconds?: 10 | 60 } = {},
): RequestQuestion => ({
  series,
  stepSeconds,
  indicator: {
    kind: 'requests',
    where: [{ subject: { kind: 'dimension', name: 'service' }, isExcluded: false, values: ['pay'] }],
    good: { outcomes: GOOD_OUTCOMES, withinMs: undefined, returnCodes: undefined },
    isEntry: false,
    traffic: ['live'],
    groupBy: [],
    groupsMax: 10,
    fallback: undefined,
    ...more,
  },
})
const by = (name: Dimension) => [{ kind: 'dimension', name }] as const

/** Rows of `spans`; views make the rollups. */
type Request = {
  readonly second: number
  readonly service: string
  readonly outcome?: string
  readonly ms?: number
  readonly region?: string
  readonly branch?: string
  readonly code?: string
  readonly weight?: number
  readonly traffic?: string
  readonly isChild?: boolean
}
async function insert(requests: readonly Request[]): Promise<void> {
  const rows = requests.map((one) => {
    const parent = one.isChild === true ? `'12345678'` : `''`
    return `(toDateTime64(${BEGIN + one.second}, 9, 'UTC'), ${(one.ms ?? 10) * 1e6}, '${one.service}', 2, '${one.outcome ?? 'ok'}', '${one.region ?? ''}', '${one.branch ?? ''}', '${one.code ?? ''}', ${one.weight ?? 1000}, '${one.traffic ?? 'live'}', toFixedString(${parent}, 8))`
  })
  await store.command(
    `INSERT INTO spans (ts, duration_ns, service, kind, outcome, region, branch, return_code, weight, traffic, parent_id) VALUES ${rows.join(', ')}`,
  )
}

beforeAll(async () => {
  store = await openTestStore(folder)
  await insert([
    { second: 1, service: 'pay', region: 'east', branch: 'b1', code: 'PAY0000' },
    {
      second: 2,
      service: 'pay',
      outcome: 'system_error',
      region: 'east',
      branch: 'b1',
      code: 'SYS0001',
      ms: 900,
    },
    { second: 3, service: 'pay', outcome: 'business_reject', region: 'west', branch: 'b2', code: 'LIM0021' },
    { second: 4, service: 'pay', region: 'west', branch: 'b2', weight: 4000, ms: 400, isChild: true },
    { second: 5, service: 'other', outcome: 'shed' },
    { second: 6, service: 'pay', outcome: 'system_error', traffic: 'stress' },
    { second: 70, service: 'other' },
    { second: 130, service: 'pay', outcome: 'shed', region: 'east', branch: 'b1' },
  ])
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const measure = async (questions: readonly RequestQuestion[], minutes = 3) =>
  measureSlices(store, questions, BEGIN, BEGIN + minutes * MINUTE)
const pairs = (slices: readonly MeasuredSlice[]) => slices.map(({ good, total }) => [good, total])

test('8.5 every step has a slice; one without requests is measured and empty; only live traffic counts', async () => {
  const { slices } = await measure([question('a')])
  expect(pairs(slices)).toEqual([
    [6000, 7000],
    [0, 0],
    [0, 1000],
  ])
  expect(slices.map(({ startSecond }) => startSecond - BEGIN)).toEqual([0, 60, 120])
})

test('8.5 a slice in which nobody was heard was not measured', async () => {
  const { slices } = await measureSlices(store, [question('a')], BEGIN + 180, BEGIN + 240)
  expect(slices).toMatchObject([{ good: 0, total: 0, isKnown: false }])
  // Others are heard, and this one not for longer than a minute.
  await insert([{ second: 900, service: 'other' }])
  const late = await measureSlices(store, [question('a')], BEGIN + 900, BEGIN + 960)
  expect(late.slices).toMatchObject([{ total: 0, isKnown: false }])
})

test('ten-second slices, and only those that lie in the range as a whole', async () => {
  const { slices } = await measureSlices(store, [question('a', { stepSeconds: 10 })], BEGIN - 5, BEGIN + 25)
  expect(slices.map(({ startSecond, good, total }) => [startSecond - BEGIN, good, total])).toEqual([
    [0, 6000, 7000],
    [10, 0, 0],
  ])
  // Somebody was heard before and after.
  expect(slices.map(({ isKnown }) => isKnown)).toEqual([true, true])
})

test('latency is exact, return codes and entry spans are told from spans', async () => {
  const within = (thresholdMs: number) =>
    question(`l${thresholdMs}`, {
      good: { outcomes: GOOD_OUTCOMES, withinMs: thresholdMs, returnCodes: undefined },
    })
  const { slices } = await measure(
    [
      within(400),
      within(399.999),
      question('c', {
        good: {
          outcomes: OUTCOMES,
          withinMs: undefined,
          returnCodes: { isExcluded: false, codes: ['PAY0000', 'LIM0021'] },
        },
      }),
      question('e', { isEntry: true }),
    ],
    1,
  )
  expect(slices.map(({ series, good, total }) => [series, good, total])).toEqual([
    ['l400', 6000, 7000],
    ['l399.999', 2000, 7000],
    ['c', 2000, 7000],
    ['e', 2000, 3000],
  ])
})

test('groups are measured one by one; one that was seen before is measured when it has no request', async () => {
  const byRegion = question('g', { groupBy: by('region') })
  const { slices } = await measureSlices(store, [byRegion], BEGIN + 120, BEGIN + 180, () => ['["west"]'])
  expect(slices.map(({ group, good, total }) => [group, good, total])).toEqual([
    ['["west"]', 0, 0],
    ['["east"]', 0, 1000],
  ])
  const byBranch = await measure([question('b', { groupBy: by('branch') })], 1)
  expect(
    byBranch.slices
      .map(({ group, total }) => [group, total])
      .toSorted((a, b) => String(a).localeCompare(String(b))),
  ).toEqual([
    ['["b1"]', 2000],
    ['["b2"]', 5000],
  ])
})

test('groups beyond the bound are refused with their number', async () => {
  const { slices, tooManyGroups } = await measure([question('b', { groupBy: by('branch'), groupsMax: 1 })], 1)
  expect(slices).toEqual([])
  expect([...tooManyGroups]).toEqual([['b', 2]])
})

test('what is left out, one of several values, and attributes of the span or of its sender', async () => {
  const where = (name: Dimension, values: readonly string[], isExcluded = false) => ({
    subject: { kind: 'dimension', name } as const,
    isExcluded,
    values,
  })
  const { slices } = await measure(
    [
      question('several', { where: [where('region', ['east', 'west'])] }),
      question('without', { where: [where('service', ['pay']), where('region', ['east'], true)] }),
      question('nobody', {
        where: [{ subject: { kind: 'attribute', key: 'shop' }, isExcluded: false, values: [`x') OR 1 --`] }],
      }),
    ],
    1,
  )
  expect(slices.map(({ series, good, total }) => [series, good, total])).toEqual([
    ['several', 6000, 7000],
    ['without', 5000, 5000],
    ['nobody', 0, 0],
  ])
})

const NOW_MS = Date.now()
const all = (series: string) => ({
  series: [series],
  stepSeconds: 60,
  fromSecond: BEGIN,
  toSecond: BEGIN + 3 * MINUTE,
})

test('8.6 a slice that is measured again replaces what it was, and a measuring that came before does not', async () => {
  const { slices } = await measure([question('r')])
  await writeSlices(store, slices, NOW_MS - 60_000, 'r/0')
  await writeSlices(store, slices, NOW_MS - 60_000, 'r/0')
  await insert([{ second: 71, service: 'pay', outcome: 'system_error' }])
  const again = await measure([question('r')])
  await writeSlices(store, again.slices, NOW_MS, 'r/1')
  await writeSlices(store, slices, NOW_MS - 120_000, 'r/2')
  const read = await readSlices(store, all('r'))
  const revision = revisionAt(NOW_MS)
  expect(read.map((one) => [one.good, one.total, one.isKnown, one.revision])).toEqual([
    [6000, 7000, true, revision],
    [0, 1000, true, revision],
    [0, 1000, true, revision],
  ])
  expect(await readSlices(store, all('another'))).toEqual([])
})

test('sums of the engine are those of the slices, excluded stretches apart', async () => {
  const [first] = (await measure([question('s')])).slices
  if (first === undefined) throw new Error('nothing was measured')
  const slices = [0, 1, 2].map((minute) => ({
    ...first,
    series: 's',
    startSecond: BEGIN + minute * MINUTE,
    good: minute * 10,
    total: minute * 100,
    isKnown: minute < 2,
  }))
  await writeSlices(store, slices, NOW_MS, 's/0')
  expect(await sumSlices(store, all('s'), [{ from: BEGIN + MINUTE, to: BEGIN + 3 * MINUTE }])).toEqual([
    {
      series: 's',
      group: '',
      all: { good: 10, total: 100, known: 2, empty: 1 },
      excluded: { good: 10, total: 100, known: 1, empty: 0 },
      firstSecond: BEGIN,
    },
  ])
})
