// The parts of a question about requests as SQL. Texts of people bind as literals and nowhere else.

import { literal } from '../../ingest/store/literal.ts'
import type { GoodRequest, RequestIndicator, Selection, Subject } from '../slo/model.ts'
import { OUTCOMES } from '../slo/model.ts'
import { COLUMNS } from './question.ts'

export const listOf = (texts: readonly string[]) => texts.map((text) => literal(text)).join(', ')

/** The value of a subject: its column, else the attribute of the span, else of what sent it; '' when it has none. */
export function subjectSql(subject: Subject): string {
  if (subject.kind === 'dimension') return COLUMNS[subject.name].column
  const key = literal(subject.key)
  const ofResource = `(SELECT mapFromArrays(groupArray(res_id), groupArray(value)) FROM (SELECT res_id, any(attr_v[indexOf(attr_k, ${key})]) AS value FROM resources WHERE has(attr_k, ${key}) GROUP BY res_id))[res_id]`
  return `if(has(attr_k, ${key}), attr_v[indexOf(attr_k, ${key})], ${ofResource})`
}

export function selectionSql({ subject, isExcluded, values }: Selection): string {
  return `${subjectSql(subject)} ${isExcluded ? 'NOT IN' : 'IN'} (${listOf(values)})`
}

/** When a request is good: all of it holds. */
export function goodSql({ outcomes, withinMs, returnCodes }: GoodRequest): string {
  const parts = [
    ...(outcomes.length === OUTCOMES.length ? [] : [`outcome IN (${listOf(outcomes)})`]),
    // Rounded to whole nanoseconds, which durations are; a threshold of 300 ms is 300,000,000 ns and not a little more.
    ...(withinMs === undefined ? [] : [`duration_ns <= ${Math.max(0, Math.round(withinMs * 1e6))}`]),
    ...(returnCodes === undefined
      ? []
      : [`return_code ${returnCodes.isExcluded ? 'NOT IN' : 'IN'} (${listOf(returnCodes.codes)})`]),
  ]
  return parts.length === 0 ? '1' : parts.join(' AND ')
}

/** Whether rollups hold everything that is asked: outcomes by dimensions that they keep. */
export function isInRollups({ good, isEntry, where, groupBy }: RequestIndicator): boolean {
  const subjects = [...where.map(({ subject }) => subject), ...groupBy]
  return (
    good.withinMs === undefined &&
    good.returnCodes === undefined &&
    !isEntry &&
    subjects.every((subject) => subject.kind === 'dimension' && COLUMNS[subject.name].isRollup)
  )
}
