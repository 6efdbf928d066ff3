// Ten thousand SLOs are not ten thousand questions. Those that look at the same dimensions in the same way are one family and
// one statement, whose rows are told apart by their keys: a service each, a service and an operation each.

import { literal } from '../../ingest/store/literal.ts'
import { ROLLUP_DIMENSIONS, type Dimension, type SliceQuestion } from './question.ts'

export type Family = {
  readonly stepSeconds: 10 | 60
  readonly traffic: string
  /** Selected and grouped by, in order; together they make a row's key. */
  readonly selected: readonly Dimension[]
  readonly grouped: readonly Dimension[]
  readonly source: 'rollup' | 'spans'
  readonly entryOnly: boolean
  readonly goodSql: string
  /** By the JSON of the values of `selected`. */
  readonly questions: ReadonlyMap<string, readonly SliceQuestion[]>
}

const isRollup = (dimension: Dimension) => (ROLLUP_DIMENSIONS as readonly string[]).includes(dimension)

const listOf = (texts: readonly string[]) => texts.map((text) => literal(text)).join(', ')

/** Latency thresholds differ from SLO to SLO, so a family has one threshold; whoever has another is another family. */
function goodSql({ good }: SliceQuestion): string {
  if (good.kind === 'outcome') return `outcome IN (${listOf(good.outcomes)})`
  if (good.kind === 'returnCode') return `return_code IN (${listOf(good.codes)})`
  return `outcome IN (${listOf(good.outcomes)}) AND duration_ns <= ${Math.round(good.thresholdMs * 1e6)}`
}

/** @returns families in the order in which their first question came */
export function familiesOf(questions: readonly SliceQuestion[]): Family[] {
  const families = new Map<string, Omit<Family, 'questions'> & { questions: Map<string, SliceQuestion[]> }>()
  for (const question of questions) {
    const selected = (Object.keys(question.selector) as Dimension[]).toSorted()
    const grouped = question.groupBy
    const { stepSeconds, traffic, entryOnly } = question
    const isCounted =
      question.good.kind === 'outcome' && !entryOnly && [...selected, ...grouped].every(isRollup)
    const source = isCounted ? 'rollup' : 'spans'
    const shape = {
      stepSeconds,
      traffic,
      selected,
      grouped,
      source,
      entryOnly,
      goodSql: goodSql(question),
    } as const
    const id = JSON.stringify(shape)
    const family = families.get(id) ?? { ...shape, questions: new Map<string, SliceQuestion[]>() }
    families.set(id, family)
    const key = keyOf(selected.map((dimension) => question.selector[dimension] ?? ''))
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
  const { selected, grouped, source, stepSeconds, traffic, goodSql: good, entryOnly } = family
  const dimensions = [...selected, ...grouped]
  const time = source === 'rollup' ? 'bucket' : 'ts'
  const table = source === 'spans' ? 'spans' : stepSeconds === 10 ? 'requests_10s' : 'requests_1m'
  const weight = source === 'rollup' ? 'weighted' : 'weight'
  const keys = [...family.questions.keys()].map((key) => JSON.parse(key) as string[])
  const isNamed = selected.length > 0 && keys.length <= KEYS_IN_STATEMENT_MAX
  const named = keys.map((values) => `(${listOf(values)})`).join(', ')
  const conditions = [
    `${time} >= ${instant(fromSecond)}`,
    `${time} < ${instant(toSecond)}`,
    `traffic = ${literal(traffic)}`,
    ...(source === 'spans' ? ['kind IN (2, 5)', 'NOT is_ahead'] : []),
    ...(entryOnly ? [`parent_id = toFixedString('', 8)`] : []),
    ...(isNamed ? [`(${selected.join(', ')}) IN (${named})`] : []),
  ]
  const at = `toUnixTimestamp(toStartOfInterval(${source === 'spans' ? `toDateTime(ts, 'UTC')` : 'bucket'}, toIntervalSecond(${stepSeconds})))`
  return `SELECT [${dimensions.map((name) => `toString(${name})`).join(', ')}]::Array(String) AS k, ${at} AS at,
  sumIf(${weight}, ${good}) AS good, sum(${weight}) AS total
FROM ${table}
WHERE ${conditions.join('\n  AND ')}
GROUP BY ${[...dimensions, 'at'].join(', ')}`
}

const instant = (second: number) => `toDateTime(${Math.floor(second)}, 'UTC')`
