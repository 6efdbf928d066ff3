// When burn pairs fire, evaluation by evaluation, against the same conditions asked of promtool 2.42 over the same random faults.

import { expect, test } from 'vitest'
import { workbook28d } from '../../query/slo/burn-profiles.ts'
import { sloPolicy } from '../../query/slo/slo-policy.ts'
import { random } from '../support/otlp.ts'
import { askPrometheus } from '../support/promtool.ts'
import { SloPlay } from '../support/slo-play.ts'

const SERIES = 30
/** The longest window is whole from here on. */
const FROM = 360
const MINUTES = 600
const OBJECTIVE = 0.99
const PAIRS = [
  { id: 'page-1h', long: '1h', short: '5m', threshold: '0.1344' },
  { id: 'page-6h', long: '6h', short: '30m', threshold: '0.056' },
] as const

type Minute = { readonly good: number; readonly total: number }

/** Traffic that moves and faults of minutes to an hour: some burn, some do not, some come back. */
function faults(seed: number): readonly Minute[] {
  const next = random(seed)
  let traffic = 100 + Math.floor(next() * 900)
  let failing = 0
  let left = 0
  return Array.from({ length: MINUTES }, () => {
    if (next() < 0.02) traffic = 10 + Math.floor(next() * 1000)
    if (left === 0 && next() < 0.012) {
      left = 3 + Math.floor(next() * 60)
      failing = next() ** 2
    }
    if (left > 0) left -= 1
    const total = 1 + Math.floor(traffic * (0.8 + 0.4 * next()))
    const bad = left > 0 ? Math.floor(total * failing) : Number(next() < 0.05)
    return { good: total - bad, total }
  })
}

test('2.2 pairs fire and clear in the very evaluations in which those of promtool do, on 30 random series of faults', async () => {
  const all = Array.from({ length: SERIES }, (_, index) => faults(index + 1))
  const ratio = (series: number, range: string) =>
    `(sum(rate(bad{sli="${series}"}[${range}])) / sum(rate(total{sli="${series}"}[${range}])))`
  const counted = (minutes: readonly Minute[], of: (minute: Minute) => number) => {
    let sum = 0
    return [0, ...minutes.map((minute) => (sum += of(minute)))]
  }
  const series = new Map(
    all.flatMap((minutes, sli) => [
      [`bad{sli="${sli}"}`, counted(minutes, ({ good, total }) => total - good)] as const,
      [`total{sli="${sli}"}`, counted(minutes, ({ total }) => total)] as const,
    ]),
  )
  const instants = Array.from({ length: MINUTES - FROM }, (_, index) => FROM + 1 + index)
  const theirs = await askPrometheus(
    { series, everyMinutes: 1 },
    all.flatMap((_, sli) =>
      PAIRS.flatMap(({ long, short, threshold }) =>
        instants.map((atMinute) => ({
          expr: `(${ratio(sli, long)} > bool ${threshold}) * (${ratio(sli, short)} > bool ${threshold})`,
          atMinute,
        })),
      ),
    ),
  )
  const ours = all.flatMap((minutes) => {
    const play = new SloPlay(
      sloPolicy({
        objective: OBJECTIVE,
        window: { kind: 'rolling', durationMs: 28 * 86_400_000 },
        burn: { ...workbook28d, pairs: workbook28d.pairs.slice(0, 2) },
        guards: { minTotal: 0, minBad: 0 },
      }),
      0,
      FROM + 10,
    )
    for (const minute of minutes.slice(0, FROM)) play.pass(minute)
    const phases = minutes.slice(FROM).map((minute) => {
      play.step(minute)
      return PAIRS.map(({ id }) => play.state.pairs.find((pair) => pair.id === id)?.phase)
    })
    return PAIRS.flatMap((_, place) => phases.map((phase) => Number(phase[place] === 'firing')))
  })
  const wrong = ours.flatMap((firing, index) => (firing === theirs[index] ? [] : [index]))
  expect(ours).toHaveLength(SERIES * PAIRS.length * instants.length)
  expect(wrong).toEqual([])
  // Neither always nor never: both pairs began and ended several times.
  const begun = ours.filter((firing, index) => firing === 1 && ours[index - 1] === 0).length
  expect(begun).toBeGreaterThan(20)
})
