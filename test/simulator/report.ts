// The tables of a simulation, as Markdown for people and as data.

import type { ClassScore, JudgeScore, Rate, Share } from './score.ts'

const percent = (ratio: number) => (Number.isNaN(ratio) ? '–' : (ratio * 100).toFixed(1))
const shown = ({ ratio, low, high, of }: Share) =>
  of === 0 ? '–' : `${percent(ratio)} (${percent(low)}–${percent(high)})`
const rated = ({ value, low, high }: Rate) =>
  Number.isNaN(value) ? '–' : `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
const seconds = (value: number) => (Number.isNaN(value) ? '–' : String(Math.round(value)))

const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

export function classTable(score: JudgeScore): string {
  const row = (of: ClassScore) => [
    of.kind,
    String(of.incidents),
    String(of.noticed),
    shown(of.precision),
    shown(of.recall),
    shown(of.recallOrSuspect),
    shown(of.ac1),
    shown(of.ac3),
    shown(of.falseBlame),
    String(of.inconclusive),
    `${seconds(of.secondsToVerdict.p50)} / ${seconds(of.secondsToVerdict.p95)}`,
  ]
  return table([
    [
      'class',
      'incidents',
      'noticed',
      'precision %',
      'recall %',
      'blamed or first suspect %',
      'AC@1 %',
      'AC@3 %',
      'false blame %',
      'inconclusive',
      'verdict after s, p50 / p95',
    ],
    ...score.classes.map(row),
    row(score.all),
  ])
}

export function judgesTable(scores: readonly JudgeScore[]): string {
  return table([
    ['', 'precision %', 'AC@1 %', 'AC@3 %', 'false blame %', 'ECE', 'false blames in fault-free days'],
    ...scores.map(({ judge, all, calibration, days }) => [
      judge,
      shown(all.precision),
      shown(all.ac1),
      shown(all.ac3),
      shown(all.falseBlame),
      calibration.ece.toFixed(3),
      `${String(days.blames)} in ${String(days.days)}`,
    ]),
  ])
}

export function targetsTable({ all, targets, calibration, days, effectiveRollbacks }: JudgeScore): string {
  const row = (name: string, measured: string, wanted: string, isMet: boolean | '–') => [
    name,
    measured,
    wanted,
    isMet === '–' ? isMet : isMet ? 'yes' : 'no',
  ]
  const least = (name: string, of: Share, wanted: number) =>
    row(name, shown(of), `≥ ${percent(wanted)}`, of.of > 0 && of.ratio >= wanted)
  return table([
    ['target', 'measured (95 % interval)', 'wanted', 'met'],
    least('blame precision', all.precision, 0.96),
    least('AC@1 of rollout-caused', all.ac1, 0.95),
    least('AC@3 of rollout-caused', all.ac3, 0.99),
    least('recall, immediate with control', targets.immediateWithControl, 0.95),
    least('recall, silent', targets.silent, 0.92),
    least('recall, delayed', targets.delayed, 0.85),
    row('… with something to compare with', shown(targets.delayedWithControl), '–', '–'),
    row('… blamed or first suspect', shown(targets.delayedOrSuspect), '–', '–'),
    least('recall, tiny cohort', targets.tiny, 0.8),
    least('recall, full rollout (blamed or first suspect)', targets.full, 0.85),
    least('rollbacks that remove 80 % of the excess', effectiveRollbacks, 0.95),
    row(
      'false blame of other faults',
      shown(all.falseBlame),
      '≤ 3.0',
      all.falseBlame.of > 0 && all.falseBlame.ratio <= 0.03,
    ),
    row(
      'false blames in 60 fault-free days',
      `${rated(days.blamesPer60Days)}; ${String(days.blames)} in ${String(days.days)} days`,
      '≤ 1',
      days.blamesPer60Days.value <= 1,
    ),
    row('… with a rollback suggestion', String(days.withRollback), '0', days.withRollback === 0),
    row('calibration error', calibration.ece.toFixed(3), '≤ 0.05', calibration.ece <= 0.05),
  ])
}

/** What rang on days without a fault, and whom that was blamed on. */
export function daysTable(scores: readonly JudgeScore[]): string {
  return table([
    [
      '',
      'days',
      'alarms',
      'faults a day',
      'false blames in 60 days',
      'suspects a day',
      'rollbacks suggested',
    ],
    ...scores.map(({ judge, days }) => [
      judge,
      String(days.days),
      String(days.alarms),
      rated(days.faultsPerDay),
      `${rated(days.blamesPer60Days)}; ${String(days.blames)} in all`,
      rated(days.suspectsPerDay),
      String(days.withRollback),
    ]),
  ])
}

export function calibrationTable({ calibration }: JudgeScore): string {
  return table([
    ['posterior', 'answers', 'said %', 'true %'],
    ...calibration.bins
      .filter(({ count }) => count > 0)
      .map((bin) => [
        `${bin.from.toFixed(1)}–${bin.to.toFixed(1)}`,
        String(bin.count),
        percent(bin.said),
        percent(bin.true),
      ]),
  ])
}
