// Which minutes are read from derived tables and which straight from spans, and the texts for it: the newest that are not derived
// yet, three at most, by the deriver's own questions, so that a minute says the same either way.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { MINUTE_COLUMNS, MINUTE_QUESTIONS } from '../../ingest/derived/minute-questions.ts'
import { statement, type Store } from '../../ingest/store/store.ts'
import { sqlSecond } from '../time-range.ts'

/** Minutes asked straight from spans, at most. */
export const OPEN_MINUTES_MAX = 3
const OPEN_NAMES = Array.from({ length: OPEN_MINUTES_MAX }, (_, index) => `open${index}`)
const MINUTE_MS = 60_000
/** Of minutes long after the alarm and long before the decision one in so many is looked at. */
const SPARSE_STEP = 10

export const withoutComments = (sql: string) => sql.replaceAll(/^ *--.*\n?/gm, '').trim()
const part = (name: string) => withoutComments(readFileSync(new URL(name, import.meta.url), 'utf8'))

/** Rows of traces for the first so many minutes bound as open0, open1, open2. */
function openPaths(count: number): string {
  const columns = MINUTE_COLUMNS.trace_paths_1m.join(', ')
  const question = MINUTE_QUESTIONS.trace_paths_1m
    .replaceAll('{slice:UInt16}', '0')
    .replaceAll('{slices:UInt16}', '1')
  return OPEN_NAMES.slice(0, count)
    .map(
      (name) =>
        `SELECT ${columns} FROM (\n${question.replaceAll('{from:UInt32}', `{${name}:UInt32}`)}\n) WHERE traffic = 'live'`,
    )
    .join('\nUNION ALL\n')
}

const KEPT_MINUTES = part('./kept-minutes.sql')
const keptMinutes = (table: string) => KEPT_MINUTES.replace('TABLE', () => table)
const KEPT_PATHS = part('./kept-paths.sql')
  .replace('SELECT *', () => `SELECT ${MINUTE_COLUMNS.trace_paths_1m.join(', ')}`)
  .replace('KEPT_MINUTES', () => keptMinutes('trace_paths_1m'))

/**
 * Puts the rows of traces where a text names them: kept ones, or kept and open ones.
 *
 * @param table  of whose derivations the text's own rows are, where it says so
 */
export function withRows(sql: string, open = 0, table = 'trace_paths_1m'): string {
  return sql
    .replaceAll(/^KEPT_PATHS$/gm, () => KEPT_PATHS)
    .replaceAll(/^PATHS$/gm, () => (open === 0 ? KEPT_PATHS : `${KEPT_PATHS}\nUNION ALL\n${openPaths(open)}`))
    .replaceAll(/\bKEPT_MINUTES\b/g, () => keptMinutes(table))
}

export const openShape = { open0: z.number(), open1: z.number(), open2: z.number() }
export type Open = { readonly open0: number; readonly open1: number; readonly open2: number }
export const openCount = ({ open0, open1, open2 }: Open) =>
  [open0, open1, open2].filter((at) => at > 0).length
/** Asks derived rows alone. */
export const NOTHING_OPEN: Open = { open0: 0, open1: 0, open2: 0 }

export const rangeShape = {
  from: z.string(),
  to: z.string(),
  near_until: z.string(),
  late_from: z.string(),
}

/**
 * Minutes since 1970 that are looked at: from `fromMinute` to before `toMinute`; between `nearUntil` and `lateFrom` every tenth alone.
 */
export type Span = {
  readonly fromMinute: number
  readonly toMinute: number
  readonly nearUntil: number
  readonly lateFrom: number
}

/** All minutes of a range. */
export const everyMinute = (fromMinute: number, toMinute: number): Span => ({
  fromMinute,
  toMinute,
  nearUntil: toMinute,
  lateFrom: toMinute,
})

export const isLookedAt = ({ nearUntil, lateFrom }: Span, minute: number) =>
  minute < nearUntil || minute >= lateFrom || minute % SPARSE_STEP === 0

const atMinute = (minute: number) => sqlSecond(minute * MINUTE_MS)

/** As statements want it, the whole span or a part of it. */
export const rangeOf = (span: Span, from = span.fromMinute, to = span.toMinute) => ({
  from: atMinute(from),
  to: atMinute(to),
  near_until: atMinute(span.nearUntil),
  late_from: atMinute(span.lateFrom),
})

const counts = z.array(z.coerce.number())
const derivedMinutes = statement(
  new URL('./derived-minutes.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string() }),
  z.object({ minutes: counts, derivations: counts }),
)

export type Minutes = {
  /** Number of the latest derivation, of minutes that are looked at. */
  readonly derived: ReadonlyMap<number, number>
  /** Those of the day before, by their own minutes. */
  readonly dayBefore: ReadonlyMap<number, number>
  /** The first derived one; infinite for none. */
  readonly first: number
  /** Those asked straight, newest first. */
  readonly asked: readonly number[]
  /** The same in seconds, as statements want it. */
  readonly open: Open
  /** Neither derived nor asked straight. */
  readonly missing: number
  /** First minute of which anything is known, when nothing is of any before: a young store, or one that has yet to derive them. */
  readonly knownFrom: number | undefined
}

export async function minutesOf(store: Pick<Store, 'ask'>, span: Span): Promise<Minutes> {
  const { fromMinute, toMinute } = span
  const [row] = await store.ask(derivedMinutes, { from: atMinute(fromMinute), to: atMinute(toMinute) })
  const all = (row?.minutes ?? []).map((minute, place) => [minute, row?.derivations[place] ?? 0] as const)
  const derived = new Map(all.filter(([minute]) => minute >= fromMinute && isLookedAt(span, minute)))
  const isOld = all.some(([minute]) => minute < fromMinute)
  const lacking = Array.from({ length: toMinute - fromMinute }, (_, index) => toMinute - 1 - index).filter(
    (minute) => !derived.has(minute) && isLookedAt(span, minute),
  )
  const first = Math.min(Infinity, ...derived.keys())
  const asked = lacking.slice(0, OPEN_MINUTES_MAX)
  const [open0 = 0, open1 = 0, open2 = 0] = asked.map((minute) => minute * 60)
  const knownFrom = Math.min(first, ...asked)
  return {
    derived,
    dayBefore: new Map(all.filter(([minute]) => minute < fromMinute)),
    first,
    asked,
    open: { open0, open1, open2 },
    // Nothing was there to derive before the first derived minute.
    missing: lacking.slice(OPEN_MINUTES_MAX).filter((minute) => minute > first).length,
    knownFrom: isOld || knownFrom <= fromMinute || knownFrom === Infinity ? undefined : knownFrom,
  }
}
