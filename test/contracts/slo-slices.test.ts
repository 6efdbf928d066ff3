// Slices as they are measured from spans and rollups of a real store, kept and read back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { measureSlices, type MeasuredSlice } from '../../query/measure/measure.ts'
import { GOOD_OUTCOMES, type SliceQuestion } from '../../query/measure/question.ts'
import { readSlices, writeSlices } from '../../query/measure/slice-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-slices-'))
let store: Store
const MINUTE = 60
const BEGIN = Math.floor(Date.now() / 60_000) * MINUTE - 30 * MINUTE

const question = (slo: string, more: Partial<SliceQuestion> = {}): SliceQuestion => ({
  slo,
  generation: 1,
  stepSeconds: 60,
  traffic: 'live',
  selector: { service: 'pay' },
  good: { kind: 'outcome', outcomes: GOOD_OUTCOMES },
  entryOnly: false,
  groupBy: [],
  ...more,
})

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
  store = await openEmbeddedStore(folder)
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
    { second: 130, service: 'pay', outcome: 'shed', region: 'east', branch: 'b1' },
  ])
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const measure = async (questions: readonly SliceQuestion[], minutes = 3) =>
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

test('ten-second slices, and only those that lie in the range as a whole', async () => {
  const { slices } = await measureSlices(store, [question('a', { stepSeconds: 10 })], BEGIN - 5, BEGIN + 25)
  expect(slices.map(({ startSecond, good, total }) => [startSecond - BEGIN, good, total])).toEqual([
    [0, 6000, 7000],
    [10, 0, 0],
  ])
})

test('latency is exact, return codes and entry spans are told from spans', async () => {
  const within = (thresholdMs: number) =>
    question(`l${thresholdMs}`, { good: { kind: 'latency', thresholdMs, outcomes: GOOD_OUTCOMES } })
  const { slices } = await measure(
    [
      within(400),
      within(399.999),
      question('c', { good: { kind: 'returnCode', codes: ['PAY0000', 'LIM0021'] } }),
      question('e', { entryOnly: true }),
    ],
    1,
  )
  expect(slices.map(({ slo, good, total }) => [slo, good, total])).toEqual([
    ['l400', 6000, 7000],
    ['l399.999', 2000, 7000],
    ['c', 2000, 7000],
    ['e', 2000, 3000],
  ])
})

test('groups are measured one by one; one that was seen before is measured when it has no request', async () => {
  const byRegion = question('g', { groupBy: ['region'] })
  const { slices } = await measureSlices(store, [byRegion], BEGIN + 120, BEGIN + 180, () => ['["west"]'])
  expect(slices.map(({ group, good, total }) => [group, good, total])).toEqual([
    ['["west"]', 0, 0],
    ['["east"]', 0, 1000],
  ])
  const byBranch = await measure([question('b', { groupBy: ['branch'] })], 1)
  expect(
    byBranch.slices
      .map(({ group, total }) => [group, total])
      .toSorted((a, b) => String(a).localeCompare(String(b))),
  ).toEqual([
    ['["b1"]', 2000],
    ['["b2"]', 5000],
  ])
})

test('8.6 a slice that is measured again replaces what it was', async () => {
  const { slices } = await measure([question('r')])
  await writeSlices(store, slices, () => 0, Date.now(), 'r/0')
  await writeSlices(store, slices, () => 0, Date.now(), 'r/0')
  await insert([{ second: 70, service: 'pay', outcome: 'system_error' }])
  const again = await measure([question('r')])
  await writeSlices(store, again.slices, () => 1, Date.now(), 'r/1')
  const read = await readSlices(store, ['r'], 1, BEGIN, BEGIN + 3 * MINUTE)
  expect(read.map(({ good, total, revision }) => [good, total, revision])).toEqual([
    [6000, 7000, 1],
    [0, 1000, 1],
    [0, 1000, 1],
  ])
  expect(await readSlices(store, ['r'], 2, BEGIN, BEGIN + 3 * MINUTE)).toEqual([])
})
