// Ten thousand SLOs are not ten thousand questions. Those that look at the same dimensions in the same way are one family and
// one statement, whose rows are told apart by their keys: a service each, a service and an operation each.

import type { RequestIndicator, Selection, Subject } from '../slo/model.ts'
import { COLUMNS, type SliceQuestion } from './question.ts'
import { goodSql, isInRollups, listOf, selectionSql, subjectSql } from './request-sql.ts'

export type RequestQuestion = SliceQuestion<RequestIndicator>

export type Family = {
  readonly stepSeconds: 10 | 60
  readonly traffic: readonly string[]
  /** SQL of what must have one value; with `grouped` it makes a row's key. */
  readonly selected: readonly string[]
  readonly grouped: readonly string[]
  /** SQL of all other conditions. */
  readonly conditions: readonly string[]
  readonly source: 'rollup' | 'spans'
  readonly isEntry: boolean
  readonly goodSql: string
  /** By the JSON of the values of `selected`. */
  readonly questions: ReadonlyMap<string, readonly RequestQuestion[]>
}

/** One value of one dimension: what families tell their members apart by. */
const isKey = ({ subject, isExcluded, values }: Selection) =>
  subject.kind === 'dimension' && !isExcluded && values.length === 1

const columnOf = (subject: Subject) =>
  subject.kind === 'dimension' ? COLUMNS[subject.name].column : subjectSql(subject)

/** @returns families in the order in which their first question came */
export function familiesOf(questions: readonly RequestQuestion[]): Family[] {
  const families = new Map<
    string,
    Omit<Family, 'questions'> & { questions: Map<string, RequestQuestion[]> }
  >()
  for (const question of questions) {
    const { indicator, stepSeconds } = question
    const keys = indicator.where
      .filter(isKey)
      .toSorted((a, b) => (columnOf(a.subject) < columnOf(b.subject) ? -1 : 1))
    const shape = {
      stepSeconds,
      traffic: indicator.traffic,
      selected: keys.map(({ subject }) => columnOf(subject)),
      grouped: indicator.groupBy.map(columnOf),
      conditions: indicator.where.filter((one) => !isKey(one)).map(selectionSql),
      source: isInRollups(indicator) ? 'rollup' : 'spans',
      isEntry: indicator.isEntry,
      goodSql: goodSql(indicator.good),
    } as const
    const id = JSON.stringify(shape)
    const family = families.get(id) ?? { ...shape, questions: new Map<string, RequestQuestion[]>() }
    families.set(id, family)
    const key = keyOf(keys.map(({ values }) => values[0] ?? ''))
    const known = family.questions.get(key)
    if (known === undefined) family.questions.set(key, [question])
    else known.push(question)
  }
  return [...families.values()]
}

export const keyOf = (values: readonly string[]) => JSON.stringify(values)

// A list of keys in the statement saves reading when there are few; many cost more to compare than the rows they leave out.
const KEYS_IN_STATEMENT_MAX = 1000

/**
 * @param fromSecond, toSecond  s since epoch, edges of slices
 * @returns SQL: a row for each key and slice that had requests: `k` (values of selected, then grouped), `at` (s since epoch),
 *   `good` and `total` in thousandths of an event
 */
export function familySql(family: Family, fromSecond: number, toSecond: number): string {
  const { selected, grouped, source, stepSeconds, traffic, conditions, goodSql: good, isEntry } = family
  const values = [...selected, ...grouped]
  const time = source === 'rollup' ? 'bucket' : 'ts'
  const table = source === 'spans' ? 'spans' : stepSeconds === 10 ? 'requests_10s' : 'requests_1m'
  const weight = source === 'rollup' ? 'weighted' : 'weight'
  const keys = [...family.questions.keys()].map((key) => JSON.parse(key) as string[])
  const isNamed = selected.length > 0 && keys.length <= KEYS_IN_STATEMENT_MAX
  const named = keys.map((one) => `(${listOf(one)})`).join(', ')
  const all = [
    `${time} >= ${instant(fromSecond)}`,
    `${time} < ${instant(toSecond)}`,
    `traffic IN (${listOf(traffic)})`,
    ...(source === 'spans' ? ['kind IN (2, 5)', 'NOT is_ahead'] : []),
    ...(isEntry ? [`parent_id = toFixedString('', 8)`] : []),
    ...(isNamed ? [`(${selected.join(', ')}) IN (${named})`] : []),
    ...conditions,
  ]
  const at = `toUnixTimestamp(toStartOfInterval(${source === 'spans' ? `toDateTime(ts, 'UTC')` : 'bucket'}, toIntervalSecond(${stepSeconds})))`
  return `SELECT [${values.map((one) => `toString(${one})`).join(', ')}]::Array(String) AS k, ${at} AS at,
  sumIf(${weight}, ${good}) AS good, sum(${weight}) AS total
FROM ${table}
WHERE ${all.join('\n  AND ')}
GROUP BY ${[...values, 'at'].join(', ')}`
}

export const instant = (second: number) => `toDateTime(${Math.floor(second)}, 'UTC')`
