// The SLO report as CSV by RFC 4180, a line for each objective and group. A byte order mark tells spreadsheets that it is UTF-8; a text
// that a spreadsheet would run as a formula is led by an apostrophe.

import type { ReportFigures, SloReport } from '../http/report-schemas.ts'
import { groupText, localTime, reportText, type ReportLanguage, type ReportTextKey } from './report-texts.ts'

type Cell = string | number | null

export function reportCsv(report: SloReport, language: ReportLanguage): string {
  const say = (key: ReportTextKey) => reportText(language, key)
  const at = (instant: string | null) => (instant === null ? null : localTime(instant, report.timeZone))
  const sides = (['applied', 'ignored'] as const).flatMap((side) =>
    SIDE_COLUMNS.map((key) => `${say(key)} (${say(side)})`),
  )
  const head = [...HEAD_COLUMNS.map(say), ...sides, ...TAIL_COLUMNS.map(say)]
  const rows = report.slos.flatMap((slo) =>
    slo.items.map((item): Cell[] => [
      report.period,
      at(report.from),
      at(report.to),
      at(report.countedTo),
      say(report.isOver ? 'yes' : 'no'),
      report.timeZone,
      slo.slo,
      slo.displayName,
      item.objective,
      item.objectiveName,
      groupText(item.group, item.groupKey),
      slo.service,
      slo.system,
      slo.owner,
      slo.tier,
      item.target,
      item.budgetingMethod,
      say(item.unit),
      ...sideCells(item.withExclusions, say),
      ...sideCells(item.withoutExclusions, say),
      at(item.knownFrom),
      item.badMinutes,
      item.transitions.filter(({ subject, to }) => subject === 'outage' && to === 'firing').length,
      item.transitions
        .filter(({ to }) => to === 'exhausted')
        .map((one) => at(one.at))
        .join('; '),
      slo.exclusions.map(({ name, ticket }) => `${name} (${ticket})`).join('; '),
      slo.missingData,
      slo.coverageFloor,
      slo.generation,
      slo.generationChanges.map((change) => `${at(change.at)} ${change.from ?? ''}→${change.to}`).join('; '),
      slo.questions.map(({ text }) => text).join('\n\n'),
      at(report.madeAt),
    ]),
  )
  return `\uFEFF${[head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`
}

const HEAD_COLUMNS = [
  'period',
  'from',
  'to',
  'countedTo',
  'isOver',
  'zone',
  'slo',
  'name',
  'objective',
  'objectiveName',
  'group',
  'service',
  'system',
  'owner',
  'tier',
  'target',
  'method',
  'unit',
] as const satisfies readonly ReportTextKey[]
const SIDE_COLUMNS = [
  'kind',
  'sli',
  'good',
  'total',
  'bad',
  'allowed',
  'spent',
  'remaining',
  'remainingRatio',
  'estimate',
  'coverage',
] as const satisfies readonly ReportTextKey[]
const TAIL_COLUMNS = [
  'knownFrom',
  'badMinutes',
  'outages',
  'exhausted',
  'exclusions',
  'missingData',
  'coverageFloor',
  'generation',
  'generationChanges',
  'question',
  'madeAt',
] as const satisfies readonly ReportTextKey[]

function sideCells(
  { kind, sliRatio, good, total, bad, budget, coverage }: ReportFigures,
  say: (key: ReportTextKey) => string,
): Cell[] {
  return [
    say(`kind.${kind}`),
    sliRatio,
    good,
    total,
    bad,
    budget?.allowed ?? null,
    budget?.spent ?? null,
    budget?.remaining ?? null,
    budget?.remainingRatio ?? null,
    budget === null ? null : say(budget.isEstimate ? 'yes' : 'no'),
    coverage,
  ]
}

// What begins a formula, in both widths, and what a spreadsheet skips before one.
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

export function cell(value: Cell): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
