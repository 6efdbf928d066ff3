// How right the correlation engine is: simulated incidents and fault-free days whose truth is known, beside what others do.

import { simulate, type Simulation } from '../simulator/simulate.ts'
import type { JudgeScore, Share } from '../simulator/score.ts'
import {
  UsageError,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
  type OptionValues,
} from './bench-definition.ts'

export const blame: Bench = {
  name: 'blame',
  summary:
    'simulated incidents and fault-free days: right and wrong blames, and five baselines on the same cases',
  help: `npm run bench -- blame [--seeds 1-8] [--days N] [--world W]

  --seeds   first-last, default 61-66; eleven incidents each. The engine was developed with seeds 1 to 60
  --days    fault-free days of each seed, default 1
  --world   world of test/simulator/worlds, or a file, default bank

value is AC@1: the share of incidents caused by rollouts whose culprit is ranked first; peer is the best baseline's,
ratio the baselines' false blames (its, of faults that no rollout caused) ÷ ours. precision, ac1, ac3, falseBlame and
ece are of all classes; classes has each. Whole tables: surety simulate --seeds 1-100 --report DIR.`,
  options: { seeds: { type: 'string' }, days: { type: 'string' }, world: { type: 'string' } },
  run,
}

async function run(values: OptionValues, { say }: BenchContext): Promise<BenchReport> {
  const words = typeof values['seeds'] === 'string' ? values['seeds'] : '61-66'
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(words)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (!(first >= 1 && last >= first)) throw new UsageError(`--seeds ${words}: must be «first-last»`)
  const simulation = await simulate({
    world: typeof values['world'] === 'string' ? values['world'] : 'bank',
    seeds: Array.from({ length: last - first + 1 }, (_, index) => first + index),
    daysPerSeed: wholeNumber(values, 'days', 1, 0, 100),
    hasBaselines: true,
    hasDegradations: false,
    say,
  })
  return reportOf(simulation)
}

function reportOf({ scores, outcomes, seconds, pairs }: Simulation): BenchReport {
  const [own, ...others] = scores as [JudgeScore, ...JudgeScore[]]
  const best = others.toSorted((a, b) => b.all.ac1.ratio - a.all.ac1.ratio)[0] ?? own
  const text = ({ ratio, low, high, of }: Share) =>
    of === 0 ? '–' : `${ratio.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`
  return {
    versions: {},
    table: [
      ['', 'incidents', 'precision', 'recall', 'AC@1', 'AC@3', 'false blame'],
      ...[...own.classes, own.all, ...others.map(({ judge, all }) => ({ ...all, kind: judge }))].map(
        (score) => [
          score.kind,
          String(score.incidents),
          text(score.precision),
          text(score.recall),
          text(score.ac1),
          text(score.ac3),
          text(score.falseBlame),
        ],
      ),
    ],
    notes: [
      `${String(outcomes.length)} incidents and ${String(own.days.days)} fault-free days in ${seconds.toFixed(0)} s; ${String(own.days.blames)} false blames on those days.`,
      `Calibration error ${own.calibration.ece.toFixed(3)}. Shares with 95 % intervals.`,
    ],
    result: {
      value: own.all.ac1.ratio,
      unit: 'AC@1',
      precision: own.all.precision.ratio,
      ac1: own.all.ac1.ratio,
      ac3: own.all.ac3.ratio,
      falseBlame: own.all.falseBlame.ratio,
      ece: own.calibration.ece,
      falseBlamesOnDays: own.days.blames,
      days: own.days.days,
      classes: Object.fromEntries(
        own.classes.map(({ kind, incidents, precision, recall, ac1, ac3, falseBlame }) => [
          kind,
          {
            incidents,
            precision: precision.ratio,
            recall: recall.ratio,
            ac1: ac1.ratio,
            ac3: ac3.ratio,
            falseBlame: falseBlame.ratio,
          },
        ]),
      ),
      peer: { name: best.judge, ac1: best.all.ac1.ratio, falseBlame: best.all.falseBlame.ratio, pairs },
      ratio:
        best.all.falseBlame.ratio /
        Math.max(own.all.falseBlame.ratio, 1 / Math.max(1, own.all.falseBlame.of)),
    },
  }
}
