// Counters that begin again, begin late or are not read for a while: what we count from them through the door and the store
// against Prometheus' increase() over the very same samples, asked of promtool 2.42. Where the two must differ the test says why.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serve, type Served } from '../../deploy/serve.ts'
import type { Store } from '../../ingest/store/store.ts'
import { measureSlices } from '../../query/measure/measure.ts'
import { EVENT_SCALE, type SliceQuestion } from '../../query/measure/question.ts'
import { countWindow } from '../../query/slo/count-window.ts'
import { judgeWindow } from '../../query/slo/judge-window.ts'
import type { MetricEvents } from '../../query/slo/model.ts'
import { emptyColumns, mergeNewest, type SliceColumns } from '../../query/slo/slices.ts'
import { metricRequest, type MetricInput } from '../support/otlp-metrics.ts'
import { random } from '../support/otlp.ts'
import { present } from '../support/present.ts'
import { askPrometheus } from '../support/promtool.ts'
import { makeEmptyData } from '../support/empty-data.ts'

const MINUTE = 60_000
const TOLERANCE = 1e-9
const SLIS = 20
/** Samples 0 to MINUTES; the sample k ends slice k − 1. */
const MINUTES = 120
// Sample k is written half a minute before its slice ends.
const baseMs = Math.floor(Date.now() / MINUTE) * MINUTE - (MINUTES + 1) * MINUTE

const folder = mkdtempSync(join(tmpdir(), 'surety-counters-'))
let surety: Served
let store: Store | undefined
beforeAll(async () => {
  await makeEmptyData(folder)
  const env = {
    SURETY_DATA_DIR: folder,
    SURETY_HTTP_PORT: '0',
    SURETY_OTLP_HTTP_PORT: '0',
    SURETY_OTLP_GRPC_PORT: '0',
    SURETY_LOG_LEVEL: 'error',
    SURETY_LINGER_MS: '50',
  }
  surety = await serve(['ingest', 'query'], env, undefined, (_, parts) => {
    store = parts.store
    return Promise.resolve()
  })
})
afterAll(async () => {
  await surety.lifecycle.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Counts = { readonly bad: number; readonly total: number }
type Sample = Counts | '_'
/** Counters of one SLI as a scrape sees them. */
type Scraped = { readonly samples: readonly Sample[]; readonly startMinute?: number }

/** Events of each minute: quiet and busy, healthy and failing. */
function events(seed: number): readonly Counts[] {
  const next = random(seed)
  return Array.from({ length: MINUTES }, () => {
    const total = 1 + Math.floor(next() * 400)
    return { bad: next() < 0.4 ? Math.floor(next() * total) : 0, total }
  })
}

/** @param resetAt  minute within which the counters begin at zero again */
function count(minutes: readonly Counts[], resetAt = -1): readonly Counts[] {
  const samples: Counts[] = [{ bad: 0, total: 0 }]
  for (const [minute, { bad, total }] of minutes.entries()) {
    const before = minute === resetAt ? { bad: 0, total: 0 } : (samples.at(-1) ?? { bad: 0, total: 0 })
    samples.push({ bad: before.bad + bad, total: before.total + total })
  }
  return samples
}

/** Through the door, the store and the API: slices of each SLI. */
async function measured(name: string, all: readonly Scraped[]): Promise<readonly SliceColumns[]> {
  const ns = (ms: number) => BigInt(ms) * 1_000_000n
  const metric = (which: 'bad' | 'total'): MetricInput => ({
    name: `${name}.${which}`,
    temporality: 2,
    sum: all.flatMap(({ samples, startMinute }, sli) =>
      samples.flatMap((sample, place) =>
        sample === '_'
          ? []
          : [
              {
                atNs: ns(baseMs + place * MINUTE - MINUTE / 2),
                value: BigInt(sample[which]),
                attributes: { sli: String(sli) },
                ...(startMinute === undefined ? {} : { startNs: ns(baseMs + startMinute * MINUTE) }),
              },
            ],
      ),
    ),
  })
  const sent = await fetch(`${present(surety.otlpHttpUrl)}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: metricRequest({ 'service.name': 'counted' }, [
      metric('bad'),
      metric('total'),
    ]) as Uint8Array<ArrayBuffer>,
  })
  expect(sent.status).toBe(200)
  const eventsOf = (which: string, sli: number): MetricEvents => ({
    metric: `${name}.${which}`,
    matchers: [{ label: 'sli', op: '=', value: String(sli) }],
    counted: 'increase',
  })
  const questions = all.map((_, sli): SliceQuestion => ({
    series: `${name}.${sli}`,
    stepSeconds: 60,
    indicator: {
      kind: 'metric-ratio',
      total: eventsOf('total', sli),
      part: eventsOf('bad', sli),
      partIs: 'bad',
    },
  }))
  const { slices, failures } = await measureSlices(
    present(store),
    questions,
    baseMs / 1000,
    (baseMs + MINUTES * MINUTE) / 1000,
  )
  expect([...failures]).toEqual([])
  expect(slices).toHaveLength(all.length * MINUTES)
  return questions.map(({ series }) => {
    const columns = emptyColumns(MINUTE, 0, MINUTES)
    const own = slices.filter((slice) => slice.series === series)
    mergeNewest(
      columns,
      own.map(({ startSecond, good, total, isKnown }) => ({
        startMs: startSecond * 1000 - baseMs,
        good,
        total,
        isKnown,
        revision: 1,
      })),
    )
    return columns
  })
}

/** Prometheus' error ratios: an SLI, a range and an end each. */
async function theirs(all: readonly Scraped[], ranges: readonly Range[]): Promise<readonly number[]> {
  const series = new Map(
    all.flatMap(({ samples }, sli) =>
      (['bad', 'total'] as const).map((which) => [
        `${which}{sli="${sli}"}`,
        samples.map((sample) => (sample === '_' ? ('_' as const) : sample[which])),
      ]),
    ),
  )
  return askPrometheus(
    { series, everyMinutes: 1 },
    all.flatMap((_, sli) =>
      ranges.map(({ length, end }) => ({
        expr: `sum(increase(bad{sli="${sli}"}[${length}m])) / sum(increase(total{sli="${sli}"}[${length}m]))`,
        atMinute: end,
      })),
    ),
  )
}

type Range = { readonly length: number; readonly end: number }
const windowOf = (columns: SliceColumns, { length, end }: Range) =>
  countWindow(columns, { method: 'Occurrences' }, { from: end - length, to: end }).net
const ratioOf = ({ good, total }: { readonly good: number; readonly total: number }) => (total - good) / total

async function gapsOf(name: string, all: readonly Scraped[], ranges: readonly Range[]) {
  const columns = await measured(name, all)
  const answers = await theirs(all, ranges)
  const ours = columns.flatMap((one) => ranges.map((range) => ratioOf(windowOf(one, range))))
  // The answers are no constants: the comparison could fail.
  expect(new Set(answers).size).toBeGreaterThan(answers.length / 2)
  expect(ours).toHaveLength(answers.length)
  return { columns, gaps: ours.map((ratio, index) => Math.abs(ratio - (answers[index] ?? Number.NaN))) }
}

const slis = Array.from({ length: SLIS }, (_, sli) => sli)
const ALL: readonly Range[] = [5, 30, 60, 120].map((length) => ({ length, end: MINUTES }))

describe('2.3 a counter that begins again', () => {
  test('counts what it has since as Prometheus does: ratios are equal in every window', async () => {
    // Some within the last five minutes, some long ago.
    const all = slis.map((sli) => ({ samples: count(events(sli + 1), MINUTES - 2 - sli * 5) }))
    const { gaps } = await gapsOf('reset', all, ALL)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(TOLERANCE)
  })
})

describe('2.3 a series that begins late', () => {
  const late = (sli: number) => 65 + sli * 2

  test('at zero, has equal ratios in every window; ours says how little of it is known', async () => {
    const all = slis.map((sli) => {
      const minutes = events(sli + 100).slice(late(sli))
      return { samples: [...Array<'_'>(late(sli)).fill('_'), ...count(minutes)] }
    })
    const { columns, gaps } = await gapsOf('late', all, ALL)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(TOLERANCE)
    const [first] = columns
    const whole = windowOf(first ?? emptyColumns(MINUTE, 0, 0), { length: 120, end: MINUTES })
    expect(judgeWindow(whole, 'freeze').kind).toBe('no-data')
  })

  test('with counts that its start time proves, is counted whole by us; Prometheus leaves the first sample out', async ({
    annotate,
  }) => {
    const minutes = slis.map((sli) => events(sli + 200))
    const all = minutes.map((one, sli) => ({
      samples: [...Array<'_'>(late(sli) + 1).fill('_'), ...count(one.slice(late(sli))).slice(1)],
      startMinute: late(sli),
    }))
    const range = { length: 60, end: MINUTES }
    const { columns, gaps } = await gapsOf('proved', all, [range])
    for (const [sli, one] of columns.entries()) {
      const counted = (minutes[sli] ?? []).slice(late(sli))
      const sum = (which: keyof Counts) => counted.reduce((before, event) => before + event[which], 0)
      const { good, total } = windowOf(one, range)
      expect([total - good, total]).toEqual([sum('bad') * EVENT_SCALE, sum('total') * EVENT_SCALE])
    }
    await annotate(`largest gap to Prometheus: ${Math.max(...gaps).toExponential(2)}`)
    expect(Math.max(...gaps)).toBeGreaterThan(TOLERANCE)
    expect(Math.max(...gaps)).toBeLessThan(0.1)
  })
})

describe('2.3 a counter that is not read for ten minutes', () => {
  const GAP = { from: 75, to: 85 }
  const all = slis.map((sli) => ({
    samples: count(events(sli + 300)).map((sample, place) =>
      place >= GAP.from && place < GAP.to ? ('_' as const) : sample,
    ),
  }))

  test('has equal ratios in windows that hold the whole gap or nothing of it, and its slices are unmeasured', async () => {
    const { columns, gaps } = await gapsOf('gap', all, [
      ...ALL.filter(({ length }) => length !== 30),
      { length: 30, end: 120 },
      { length: 60, end: 100 },
      { length: 30, end: 70 },
    ])
    expect(Math.max(...gaps)).toBeLessThanOrEqual(TOLERANCE)
    for (const one of columns) {
      const hour = windowOf(one, { length: 60, end: MINUTES })
      expect(hour).toMatchObject({ known: 50, expected: 60 })
      // Prometheus tells a ratio; we say that too little is known, and what fires is frozen.
      expect(judgeWindow(hour, 'freeze')).toEqual({ kind: 'no-data', coverage: 50 / 60 })
    }
  })

  test('differs in a window that begins within the gap: what grew meanwhile is counted where it was read', async ({
    annotate,
  }) => {
    const { gaps } = await gapsOf('within', all, [{ length: 30, end: 110 }])
    await annotate(`largest gap to Prometheus: ${Math.max(...gaps).toExponential(2)}`)
    expect(Math.max(...gaps)).toBeGreaterThan(TOLERANCE)
    expect(Math.max(...gaps)).toBeLessThan(0.2)
  })
})
