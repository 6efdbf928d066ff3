// Which minutes are asked from derived tables and which straight from spans, and the texts for it: the newest that are not derived
// yet, three at most, by the deriver's own questions, so that a minute says the same either way.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { MINUTE_COLUMNS, MINUTE_QUESTIONS, type MinuteTable } from '../../ingest/derived/minute-questions.ts'
import { statement, type Store } from '../../ingest/store/store.ts'
import { sqlSecond } from '../time-range.ts'

/** Minutes asked straight from spans, at most. */
export const OPEN_MINUTES_MAX = 3
const OPEN_NAMES = Array.from({ length: OPEN_MINUTES_MAX }, (_, index) => `open${index}`)
const MINUTE_MS = 60_000

const plain = (sql: string) => sql.replaceAll(/^ *--.*\n?/gm, '').trim()

/** Rows of one table for the minutes bound as open0, open1, open2; nothing for those that are 0. */
export function openRows(table: MinuteTable): string {
  const columns = MINUTE_COLUMNS[table].join(', ')
  return OPEN_NAMES.map(
    (name) => `SELECT ${columns} FROM (
${MINUTE_QUESTIONS[table].replaceAll('{from:UInt32}', `{${name}:UInt32}`).replaceAll('{slice:UInt16}', '0').replaceAll('{slices:UInt16}', '1')}
)${table === 'trace_paths_1m' ? " WHERE traffic = 'live'" : ''}`,
  ).join('\nUNION ALL\n')
}

const KEPT_PATHS = plain(readFileSync(new URL('./kept-paths.sql', import.meta.url), 'utf8')).replace(
  'SELECT *',
  `SELECT ${MINUTE_COLUMNS.trace_paths_1m.join(', ')}`,
)

/** Puts the rows of traces where a text names them: kept ones, open ones, both. */
export function withRows(sql: string): string {
  return sql
    .replaceAll(/^KEPT_PATHS$/gm, () => KEPT_PATHS)
    .replaceAll(/^OPEN_PATHS$/gm, () => openRows('trace_paths_1m'))
    .replaceAll(/^OPEN_FAILURES$/gm, () => openRows('trace_failures_1m'))
    .replaceAll(/^OPEN_INSTANCES$/gm, () => openRows('instance_requests_1m'))
    .replaceAll(/^PATHS$/gm, () => `${KEPT_PATHS}\nUNION ALL\n${openRows('trace_paths_1m')}`)
}

export const openShape = { open0: z.number(), open1: z.number(), open2: z.number() }
export type Open = { readonly open0: number; readonly open1: number; readonly open2: number }
/** Asks derived rows alone. */
export const NOTHING_OPEN: Open = { open0: 0, open1: 0, open2: 0 }

const derivedMinutes = statement(
  new URL('./derived-minutes.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string() }),
  z.object({ minute: z.coerce.number() }),
)

export type Minutes = {
  readonly derived: number
  readonly open: Open
  /** Neither derived nor asked straight. */
  readonly missing: number
}

/** @param fromMinute, toMinute  minutes since 1970, from and before */
export async function minutesOf(
  store: Pick<Store, 'ask'>,
  fromMinute: number,
  toMinute: number,
): Promise<Minutes> {
  const rows = await store.ask(derivedMinutes, {
    from: sqlSecond(fromMinute * MINUTE_MS),
    to: sqlSecond(toMinute * MINUTE_MS),
  })
  const known = new Set(rows.map(({ minute }) => minute))
  const lacking = Array.from({ length: toMinute - fromMinute }, (_, index) => toMinute - 1 - index).filter(
    (minute) => !known.has(minute),
  )
  const [open0 = 0, open1 = 0, open2 = 0] = lacking.slice(0, OPEN_MINUTES_MAX).map((minute) => minute * 60)
  return {
    derived: known.size,
    open: { open0, open1, open2 },
    // Nothing was there to derive before the first derived minute.
    missing: lacking.slice(OPEN_MINUTES_MAX).filter((minute) => minute > Math.min(...known)).length,
  }
}
