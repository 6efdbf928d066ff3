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

/** Rows of one table for the first so many minutes bound as open0, open1, open2. */
function openRows(table: MinuteTable, count: number): string {
  const columns = MINUTE_COLUMNS[table].join(', ')
  if (count === 0) return `SELECT ${columns} FROM ${table} WHERE 0`
  const question = MINUTE_QUESTIONS[table]
    .replaceAll('{slice:UInt16}', '0')
    .replaceAll('{slices:UInt16}', '1')
  const only = table === 'trace_paths_1m' ? " WHERE traffic = 'live'" : ''
  return OPEN_NAMES.slice(0, count)
    .map(
      (name) =>
        `SELECT ${columns} FROM (\n${question.replaceAll('{from:UInt32}', `{${name}:UInt32}`)}\n)${only}`,
    )
    .join('\nUNION ALL\n')
}

const KEPT_PATHS = plain(readFileSync(new URL('./kept-paths.sql', import.meta.url), 'utf8')).replace(
  'SELECT *',
  `SELECT ${MINUTE_COLUMNS.trace_paths_1m.join(', ')}`,
)

/** Puts the rows of traces where a text names them: kept ones, open ones, both. */
export function withRows(sql: string, open: number): string {
  return sql
    .replaceAll(/^KEPT_PATHS$/gm, () => KEPT_PATHS)
    .replaceAll(/^OPEN_PATHS$/gm, () => openRows('trace_paths_1m', open))
    .replaceAll(/^OPEN_FAILURES$/gm, () => openRows('trace_failures_1m', open))
    .replaceAll(/^OPEN_INSTANCES$/gm, () => openRows('instance_requests_1m', open))
    .replaceAll(/^PATHS$/gm, () =>
      open === 0 ? KEPT_PATHS : `${KEPT_PATHS}\nUNION ALL\n${openRows('trace_paths_1m', open)}`,
    )
}

export const openShape = { open0: z.number(), open1: z.number(), open2: z.number() }
export type Open = { readonly open0: number; readonly open1: number; readonly open2: number }
export const openCount = ({ open0, open1, open2 }: Open) =>
  [open0, open1, open2].filter((at) => at > 0).length
/** Asks derived rows alone. */
export const NOTHING_OPEN: Open = { open0: 0, open1: 0, open2: 0 }

const derivedMinutes = statement(
  new URL('./derived-minutes.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string() }),
  z.object({ minute: z.coerce.number() }),
)

export type Minutes = {
  readonly derived: number
  /** The first derived one; infinite for none. */
  readonly first: number
  readonly open: Open
  /** Neither derived nor asked straight. */
  readonly missing: number
  /** First minute of which anything is known, when nothing is of any before: a young store, or one that has yet to derive them. */
  readonly knownFrom: number | undefined
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
  const known = new Set(rows.flatMap(({ minute }) => (minute >= fromMinute ? [minute] : [])))
  const isOld = rows.length > known.size
  const lacking = Array.from({ length: toMinute - fromMinute }, (_, index) => toMinute - 1 - index).filter(
    (minute) => !known.has(minute),
  )
  const first = Math.min(Infinity, ...known)
  const asked = lacking.slice(0, OPEN_MINUTES_MAX)
  const [open0 = 0, open1 = 0, open2 = 0] = asked.map((minute) => minute * 60)
  const knownFrom = Math.min(first, ...asked)
  return {
    derived: known.size,
    first,
    open: { open0, open1, open2 },
    // Nothing was there to derive before the first derived minute.
    missing: lacking.slice(OPEN_MINUTES_MAX).filter((minute) => minute > first).length,
    knownFrom: isOld || knownFrom <= fromMinute || knownFrom === Infinity ? undefined : knownFrom,
  }
}
