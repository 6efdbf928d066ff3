// Which minutes a case looks at, how derived ones are read or remembered, and which of their rows count where there are too many.

import type { Bindable } from '../../ingest/store/bind.ts'
import type { Statement, Store } from '../../ingest/store/store.ts'
import type { Fault } from './case.ts'
import type { ByMinute, GatherMemory } from './gather-memory.ts'
import type { FailureSeen, PlaceSeen } from './gather-questions.ts'
import { rangeOf, type Span } from './minute-rows.ts'
import { order } from './trace-columns.ts'

const MINUTE_MS = 60_000
/** Minutes before the alarm that are looked at. */
const LOOK_BACK_MINUTES = 90
/** Minutes after the alarm, and before the decision, that are looked at one by one: between them every tenth. */
const LOOK_AHEAD_MINUTES = 180
const LOOK_LATE_MINUTES = 60
/** The last look is a day after the alarm; one that comes late sees no more. */
const LOOK_UNTIL_MINUTES = 26 * 60
/** Minutes after its end: what happens later is no part of it. */
const AFTERWARDS_MINUTES = 3

/** Minutes around the alarm, the newest ones, and some between; not what comes after the fault. */
export function spanOf({ alarmAtMs, endedAtMs }: Fault, nowMs: number): Span {
  const alarmMinute = Math.floor(alarmAtMs / MINUTE_MS)
  const fromMinute = alarmMinute - LOOK_BACK_MINUTES
  const endMinute =
    endedAtMs === undefined ? Infinity : Math.floor(endedAtMs / MINUTE_MS) + AFTERWARDS_MINUTES
  const toMinute = Math.max(
    fromMinute + 1,
    Math.min(Math.floor(nowMs / MINUTE_MS), alarmMinute + LOOK_UNTIL_MINUTES, endMinute) + 1,
  )
  const nearUntil = Math.min(toMinute, alarmMinute + LOOK_AHEAD_MINUTES + 1)
  return { fromMinute, toMinute, nearUntil, lateFrom: Math.max(nearUntil, toMinute - LOOK_LATE_MINUTES) }
}

/** @returns what asks derived minutes of what is not remembered of them. */
export function keptBy(store: Pick<Store, 'ask'>, memory: GatherMemory, fault: string, span: Span) {
  return <Asked extends Readonly<Record<string, Bindable>>, Seen, Row>(
    question: Statement<Asked & ReturnType<typeof rangeOf>, Seen>,
    asked: Asked,
    minutes: ReadonlyMap<number, number>,
    apart: (seen: readonly Seen[]) => ByMinute<Row>,
    most: number,
    name = '',
  ): Promise<ByMinute<Row>> =>
    memory.byMinute(
      { fault, name: `${question.name} ${name}`, asked: JSON.stringify(asked) },
      minutes,
      async (from, to) => {
        const seen = await store.ask(question, { ...asked, ...rangeOf(span, from, to) })
        return { rows: apart(seen), isWhole: seen.length < most }
      },
    )
}

export const rowsIn = <Row>(kept: ByMinute<Row>, open: readonly Row[]): Row[] => [
  ...[...kept.values()].flat(),
  ...open,
]

/** The first so many, as the statements would have told them of all minutes at once. */
export const mostOf = <Row>(rows: readonly Row[], compare: (a: Row, b: Row) => number, most: number) =>
  rows.toSorted(compare).slice(0, most)

const byTexts =
  <Row>(...texts: readonly ((row: Row) => string)[]) =>
  (a: Row, b: Row) => {
    for (const text of texts) {
      const found = order(text(a), text(b))
      if (found !== 0) return found
    }
    return 0
  }
export const byFailed = (a: FailureSeen, b: FailureSeen) =>
  b.failed - a.failed || a.minute - b.minute || a.entry - b.entry || byFailurePlace(a, b)
const byFailurePlace = byTexts<FailureSeen>(
  (row) => row.cell_channel,
  (row) => row.cell_site,
  (row) => row.cell_region,
  (row) => row.cell_branch,
  (row) => row.cell_teller,
  (row) => row.origin,
  (row) => row.version,
  (row) => row.failed_operation,
  (row) => row.peer,
  (row) => row.failed_site,
  (row) => row.zone,
  (row) => row.cluster,
  (row) => row.node,
  (row) => row.error,
)
export const byRequests = (a: PlaceSeen, b: PlaceSeen) =>
  b.requests - a.requests || a.minute - b.minute || byPlace(a, b)
const byPlace = byTexts<PlaceSeen>(
  (row) => row.service,
  (row) => row.version,
  (row) => row.site,
  (row) => row.zone,
  (row) => row.cluster,
  (row) => row.node,
)
