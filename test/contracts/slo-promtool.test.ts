// Our windows against Prometheus' own: the rules that Sloth makes, asked of promtool over the same counts. promtool 2.42
// counts both ends of a range (since 3.0 it leaves out the first), so five minutes hold six samples: five slices.

import { beforeAll, describe, expect, test } from 'vitest'
import { countWindow } from '../../query/slo/count-window.ts'
import { emptyColumns, MEASURED, type SliceColumns } from '../../query/slo/slices.ts'
import { WindowSums } from '../../query/slo/window-sums.ts'
import { random } from '../support/otlp.ts'
import { present } from '../support/present.ts'
import { askPrometheus, promtoolVersion } from '../support/promtool.ts'

const MINUTE = 60_000
const TOLERANCE = 1e-9

beforeAll(async () => {
  const version = await promtoolVersion()
  if (!version.startsWith('2.'))
    throw new Error(
      `promtool ${version} counts ranges otherwise; remove .cache/prometheus and run «node deploy/setup.mjs test»`,
    )
})

/** Counts of some minutes, with traffic in each: quiet and busy times, healthy and failing ones. */
function randomColumns(seed: number, minutes: number): SliceColumns {
  const next = random(seed)
  const columns = emptyColumns(MINUTE, 0, minutes)
  let busy = 1 + Math.floor(next() * 1000)
  let failing = 0
  for (let minute = 0; minute < minutes; minute++) {
    if (next() < 0.01) busy = 1 + Math.floor(next() * 1000)
    if (next() < 0.01) failing = next() < 0.5 ? 0 : next()
    const total = 1 + Math.floor(next() * busy)
    columns.total[minute] = total
    columns.good[minute] = total - Math.floor(next() * failing * total)
    columns.state[minute] = MEASURED
  }
  return columns
}

/** Counters as a scrape each minute sees them. */
function counters({ good, total }: SliceColumns): { readonly bad: number[]; readonly all: number[] } {
  const bad = [0]
  const all = [0]
  for (const [minute, count] of total.entries()) {
    bad.push((bad.at(-1) ?? 0) + count - (good[minute] ?? 0))
    all.push((all.at(-1) ?? 0) + count)
  }
  return { bad, all }
}

function seriesOf(columns: readonly SliceColumns[]): Map<string, readonly number[]> {
  return new Map(
    columns.flatMap((one, index) => {
      const { bad, all } = counters(one)
      return [
        [`http_bad{sli="${index}"}`, bad],
        [`http_total{sli="${index}"}`, all],
      ] as const
    }),
  )
}

const ratioRule = (sli: number, range: string) =>
  `(sum(rate(http_bad{sli="${sli}"}[${range}]))) / (sum(rate(http_total{sli="${sli}"}[${range}])))`

test('2.3 error ratios of 50 random series equal those of the rules without short cuts, in every window of a burn pair', async () => {
  const minutes = 3 * 1440
  const all = Array.from({ length: 50 }, (_, index) => randomColumns(index + 1, minutes))
  const lengths = [
    ['5m', 5],
    ['30m', 30],
    ['1h', 60],
    ['2h', 120],
    ['6h', 360],
    ['1d', 1440],
    ['3d', 4320],
  ] as const
  const answers = await askPrometheus(
    { series: seriesOf(all), everyMinutes: 1440 },
    all.flatMap((_, sli) => lengths.map(([range]) => ({ expr: ratioRule(sli, range), atMinute: minutes }))),
  )
  const ours = all.flatMap((columns) => {
    const sums = new WindowSums({
      stepMs: MINUTE,
      budgeting: { method: 'Occurrences' },
      windows: lengths.map(([, length]) => ({ kind: 'rolling', durationMs: length * MINUTE }) as const),
      hotSlices: minutes,
      head: 0,
    })
    for (let slice = 0; slice < minutes; slice++) {
      sums.advanceTo(slice + 1)
      sums.put(slice, columns.good[slice] ?? 0, columns.total[slice] ?? 0, MEASURED, 1)
    }
    return lengths.map((_, place) => {
      const { good, total } = present(sums.figures(place)).net
      return (total - good) / total
    })
  })
  const gaps = ours.map((ratio, index) => Math.abs(ratio - (answers[index] ?? Number.NaN)))
  expect(gaps).toHaveLength(350)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(TOLERANCE)
  // The answers are no constants: the comparison could have failed.
  expect(new Set(answers).size).toBeGreaterThan(200)
})

describe('2.3 RatioTimeslices of five minutes', () => {
  const minutes = 1440
  const all = Array.from({ length: 10 }, (_, index) => randomColumns(index + 100, minutes))
  const records = all.map((_, sli) => ({
    record: 'slo:sli_error:ratio_rate5m',
    expr: `label_replace(${ratioRule(sli, '5m')}, "sli", "${sli}", "", "")`,
  }))
  const period = (sli: number) => {
    const series = `slo:sli_error:ratio_rate5m{sli="${sli}"}[12h]`
    return `sum_over_time(${series}) / count_over_time(${series})`
  }
  // A minute later, so that the record at the very beginning of the range, made of slices before it, stays out.
  const questions = all.map((_, sli) => ({ expr: period(sli), atMinute: minutes + 1 }))
  const ours = all.map((columns) => {
    const budgeting = { method: 'RatioTimeslices', timeSliceMs: 5 * MINUTE } as const
    const { good, total } = countWindow(columns, budgeting, { from: minutes - 720, to: minutes }).net
    return 1 - good / total
  })

  test('equal the optimized period rule when it is evaluated every five minutes', async () => {
    const answers = await askPrometheus({ series: seriesOf(all), records, everyMinutes: 5 }, questions)
    for (const [index, answer] of answers.entries())
      expect(Math.abs((ours[index] ?? Number.NaN) - answer)).toBeLessThanOrEqual(TOLERANCE)
  })

  test('differ a little from it when it is evaluated every minute, over windows that overlap', async ({
    annotate,
  }) => {
    const answers = await askPrometheus({ series: seriesOf(all), records, everyMinutes: 1 }, questions)
    const gaps = answers.map((answer, index) => Math.abs((ours[index] ?? Number.NaN) - answer))
    await annotate(`largest gap at an evaluation every minute: ${Math.max(...gaps).toExponential(2)}`)
    expect(Math.max(...gaps)).toBeGreaterThan(TOLERANCE)
    expect(Math.max(...gaps)).toBeLessThan(0.01)
  })
})
