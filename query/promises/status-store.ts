// How SLOs stand and stood, in the store: written by the loop that judges, read by whoever tells.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { sqlMillisecond, statement, type Columns, type Store } from '../../ingest/store/store.ts'
import type { SloStatus } from '../slo/slo-status.ts'

/** One that is judged by itself. */
export type TrackName = { readonly slo: string; readonly objective: number; readonly group: string }

export type StatusRow = TrackName & {
  readonly judgedAtMs: number
  readonly generation: number
  readonly status: ToldStatus
}

/** What the loop knows beside the arithmetic. */
export type ToldStatus = SloStatus & {
  /** First instant that is known, ms since epoch; undefined when none is. */
  readonly knownFromMs: number | undefined
  /** History that is still being measured, backwards from what is known. */
  readonly backfill: { readonly reachesToMs: number; readonly doneRatio: number } | undefined
  /** A group that stopped coming while others go on. */
  readonly isMissing: boolean
  /** Why it could not be measured last. */
  readonly failure: string | undefined
  /** More groups than the SLO allows: none of them is judged. */
  readonly tooManyGroups: number | undefined
  /** Nothing was ever counted: what is selected may not exist. */
  readonly isUnmatched: boolean
}

const STATUS_COLUMNS: Columns = {
  slo: 'String',
  objective: 'UInt16',
  slo_group: 'String',
  judged_at: "DateTime64(3, 'UTC')",
  condition: 'String',
  generation: 'UInt32',
  status: 'String',
}
const FIGURE_COLUMNS: Columns = {
  slo: 'String',
  objective: 'UInt16',
  slo_group: 'String',
  judged_at: "DateTime64(3, 'UTC')",
  condition: 'String',
  sli: 'Nullable(Float64)',
  sli_gross: 'Nullable(Float64)',
  remaining: 'Nullable(Float64)',
  burn: 'Nullable(Float64)',
  coverage: 'Nullable(Float64)',
}

const newest = statement(
  new URL('./statuses.sql', import.meta.url),
  z.object({ slos: z.array(z.string()), is_all: z.number() }),
  z.object({
    slo: z.string(),
    objective: z.number(),
    slo_group: z.string(),
    judged_ms: z.coerce.number(),
    generation: z.coerce.number(),
    status: z.string(),
  }),
)

const conditions = statement(
  new URL('./conditions.sql', import.meta.url),
  z.object({}),
  z.object({
    slo: z.string(),
    objective: z.number(),
    slo_group: z.string(),
    judged_ms: z.coerce.number(),
    generation: z.coerce.number(),
    condition: z.string(),
  }),
)

const value = z.number().nullable()
const figures = statement(
  new URL('./figures.sql', import.meta.url),
  z.object({
    slo: z.string(),
    objective: z.number().int(),
    slo_group: z.string(),
    from: z.number().int(),
    to: z.number().int(),
    step: z.number().int(),
  }),
  z.object({
    at: z.coerce.number(),
    condition: z.string(),
    sli: value,
    sli_gross: value,
    remaining: value,
    burn: value,
    coverage: value,
  }),
)

const figuresAt = statement(
  new URL('./figures-at.sql', import.meta.url),
  z.object({
    slos: z.array(z.string()),
    objectives: z.array(z.string()),
    groups: z.array(z.string()),
    instants: z.array(z.string()),
  }),
  z.object({
    place: z.coerce.number(),
    at: z.coerce.number(),
    condition: z.string(),
    sli: value,
    sli_gross: value,
    remaining: value,
    burn: value,
    coverage: value,
  }),
)

/** The loop tells nothing twice at one instant. */
const tokenOf = (table: string, rows: readonly StatusRow[]) =>
  `${table}:${rows[0]?.judgedAtMs ?? 0}:${rows.length}:${randomUUID()}`

/** @throws StoreError */
export async function writeStatuses(
  store: Pick<Store, 'insertRows'>,
  rows: readonly StatusRow[],
): Promise<void> {
  if (rows.length === 0) return
  const given = rows.map(({ slo, objective, group, judgedAtMs, generation, status }) => ({
    slo,
    objective,
    slo_group: group,
    judged_at: sqlMillisecond(judgedAtMs),
    condition: status.condition,
    generation,
    status: JSON.stringify(status),
  }))
  await store.insertRows('slo_statuses', STATUS_COLUMNS, given, tokenOf('statuses', rows))
}

/** @throws StoreError */
export async function writeFigures(
  store: Pick<Store, 'insertRows'>,
  rows: readonly StatusRow[],
): Promise<void> {
  if (rows.length === 0) return
  const given = rows.map(({ slo, objective, group, judgedAtMs, status }) => ({
    slo,
    objective,
    slo_group: group,
    judged_at: sqlMillisecond(judgedAtMs),
    condition: status.condition,
    sli: status.window?.net.sliRatio ?? null,
    sli_gross: status.window?.gross.sliRatio ?? null,
    remaining: status.budget?.remainingRatio ?? null,
    burn: status.burns[0]?.status?.net.burnRate ?? null,
    coverage: status.window?.net.coverage ?? null,
  }))
  await store.insertRows('slo_figures', FIGURE_COLUMNS, given, tokenOf('figures', rows))
}

/** @param slos  names; undefined: all @throws StoreError */
export async function readStatuses(
  store: Pick<Store, 'ask'>,
  slos?: readonly string[],
): Promise<StatusRow[]> {
  const rows = await store.ask(newest, { slos: [...(slos ?? [])], is_all: slos === undefined ? 1 : 0 })
  return rows.map((row) => ({
    slo: row.slo,
    objective: row.objective,
    group: row.slo_group,
    judgedAtMs: row.judged_ms,
    generation: row.generation,
    status: JSON.parse(row.status) as ToldStatus,
  }))
}

/** How one stands, in one word: what lists of thousands are filtered by. */
export type ConditionRow = Omit<StatusRow, 'status'> & { readonly condition: ToldStatus['condition'] }

/** @throws StoreError */
export async function readConditions(store: Pick<Store, 'ask'>): Promise<ConditionRow[]> {
  const rows = await store.ask(conditions, {})
  return rows.map((row) => ({
    slo: row.slo,
    objective: row.objective,
    group: row.slo_group,
    judgedAtMs: row.judged_ms,
    generation: row.generation,
    condition: row.condition as ConditionRow['condition'],
  }))
}

export type FigurePoint = {
  readonly atMs: number
  readonly condition: string
  readonly sliRatio: number | null
  readonly sliRatioGross: number | null
  readonly remainingRatio: number | null
  readonly burnRate: number | null
  readonly coverage: number | null
}

/** What was said at the time, the last of each step. @throws StoreError */
export async function readFigures(
  store: Pick<Store, 'ask'>,
  { slo, objective, group }: TrackName,
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): Promise<FigurePoint[]> {
  const rows = await store.ask(figures, {
    slo,
    objective,
    slo_group: group,
    from: Math.floor(range.fromMs),
    to: Math.floor(range.toMs),
    step: Math.floor(range.stepMs),
  })
  return rows.map(toPoint)
}

/**
 * What was said last before an instant of each, nothing older than five minutes.
 * @returns by place in the list @throws StoreError
 */
export async function readFiguresAt(
  store: Pick<Store, 'ask'>,
  wanted: readonly (TrackName & { readonly atMs: number })[],
): Promise<ReadonlyMap<number, FigurePoint>> {
  if (wanted.length === 0) return new Map()
  const rows = await store.ask(figuresAt, {
    slos: wanted.map(({ slo }) => slo),
    objectives: wanted.map(({ objective }) => String(objective)),
    groups: wanted.map(({ group }) => group),
    instants: wanted.map(({ atMs }) => String(Math.floor(atMs))),
  })
  return new Map(rows.map((row) => [row.place, toPoint(row)]))
}

const toPoint = (row: z.infer<typeof figures.row>): FigurePoint => ({
  atMs: row.at,
  condition: row.condition,
  sliRatio: row.sli,
  sliRatioGross: row.sli_gross,
  remainingRatio: row.remaining,
  burnRate: row.burn,
  coverage: row.coverage,
})
