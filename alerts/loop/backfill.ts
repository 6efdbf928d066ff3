// History of an SLO that is new or asks something new: measured backwards, newest first, a piece at a time between cycles, as far
// as telemetry reaches. What is known from when is kept, so that a restart goes on.

import type { Store } from '../../ingest/store/store.ts'
import { isInRollups } from '../../query/measure/request-sql.ts'
import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import { measureSlices } from '../../query/measure/measure.ts'
import type { SliceQuestion } from '../../query/measure/question.ts'
import { writeSlices } from '../../query/measure/slice-store.ts'
import type { Slo } from '../../query/promises/slos.ts'
import type { Database } from '../../query/registry/database.ts'
import { windowLengthMs } from '../../query/slo/slo-window.ts'
import type { Book, StepMs } from './book.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** A month is what reports ask for, whatever the window. */
const REACH_MIN_MS = 31 * DAY_MS
const PIECE_MS_MAX = DAY_MS
const PIECE_MS_MIN = HOUR_MS / 6
/** Slices that one piece holds, about: more would take memory and keep cycles waiting. */
const PIECE_SLICES = 150_000
const pieceMs = (stepMs: StepMs, questions: number) =>
  Math.max(
    PIECE_MS_MIN,
    Math.min(PIECE_MS_MAX, Math.floor((PIECE_SLICES * stepMs) / questions / PIECE_MS_MIN) * PIECE_MS_MIN),
  )

export type BackfillLimits = {
  readonly spansDays: number
  readonly requests10sDays: number
  readonly requests1mDays: number
  readonly metricsDays: number
}

type Progress = { knownFromMs: number; reachesToMs: number; readonly beganAtMs: number }

export interface Backfill {
  /** Takes on series that it does not know. `knownFromMs`: measured as it happens from here on. */
  enter(entering: readonly { readonly slo: Slo; readonly knownFromMs: number }[]): Promise<void>
  /** Forgets series that nobody counts any more: time that is not measured would look known if they came back. */
  retain(series: ReadonlySet<string>): Promise<void>
  /** One piece. @returns the SLOs whose history grew; undefined when there is nothing to do */
  step(nowMs: number): Promise<readonly Slo[] | undefined>
  progressOf(slo: Slo): { readonly reachesToMs: number; readonly doneRatio: number } | undefined
  /** Begins again from an instant: time before it was not measured. */
  again(knownFromMs: number): Promise<void>
}

export function buildBackfill(
  store: Store,
  database: Database,
  book: Book,
  limits: BackfillLimits,
  now: () => number,
): Backfill {
  const progress = new Map<string, Progress>()

  async function oldestMs(): Promise<number> {
    const [row] = await store.rows(
      "SELECT toUnixTimestamp(min(min_time)) AS oldest FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('requests_1m', 'spans', 'samples_int', 'samples_float') AND min_time > toDateTime(0)",
    )
    const fromParts = Number(row?.['oldest'] ?? 0) * 1000
    if (fromParts > 0) return fromParts
    const [days] = await store.rows(
      "SELECT toUnixTimestamp(toDateTime(min(min_date), 'UTC')) AS oldest FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('requests_1m', 'spans', 'samples_int', 'samples_float') AND min_date > toDate(0)",
    )
    return Number(days?.['oldest'] ?? 0) * 1000
  }

  function keptDays({ indicator }: SliceQuestion): number {
    if (indicator.kind !== 'requests') return limits.metricsDays
    return isInRollups(indicator) ? limits.requests1mDays : limits.spansDays
  }

  async function keep(series: Iterable<string>): Promise<void> {
    const known = [...series].flatMap((key) => {
      const one = progress.get(key)
      return one === undefined ? [] : [{ key, ...one }]
    })
    if (known.length === 0) return
    const instants = (pick: (one: Progress) => number) =>
      known.map((one) => new Date(pick(one)).toISOString())
    await database.rows(
      `INSERT INTO slo_backfills (series, known_from, reaches_to)
      SELECT series, known_from::timestamptz, reaches_to::timestamptz FROM unnest($1::text[], $2::text[], $3::text[]) AS given (series, known_from, reaches_to)
      ON CONFLICT (series) DO UPDATE SET known_from = excluded.known_from, reaches_to = excluded.reaches_to`,
      [
        known.map(({ key }) => key),
        instants(({ knownFromMs }) => knownFromMs),
        instants(({ reachesToMs }) => reachesToMs),
      ],
    )
  }

  /** Rollups of ten seconds go after days; minutes stay, and are spread over their slices. */
  function isCoarse(question: SliceQuestion, fromMs: number): boolean {
    return (
      question.stepSeconds === 10 &&
      question.indicator.kind === 'requests' &&
      isInRollups(question.indicator) &&
      fromMs < now() - (limits.requests10sDays - 1) * DAY_MS
    )
  }

  async function measurePiece(questions: readonly SliceQuestion[], fromMs: number, toMs: number) {
    const groups = (series: string) => book.groupsOf(series)
    const measure = (some: readonly SliceQuestion[]) =>
      some.length === 0
        ? Promise.resolve({ slices: [] })
        : measureSlices(store, some, fromMs / 1000, toMs / 1000, groups)
    const fine = questions.filter((question) => !isCoarse(question, fromMs))
    const coarse = questions
      .filter((question) => isCoarse(question, fromMs))
      .map((question) => ({ ...question, stepSeconds: 60 as const }))
    const { slices } = await measure(fine)
    const { slices: minutes } = await measure(coarse)
    return [...slices, ...minutes.flatMap(spread)].filter(({ isKnown }) => isKnown)
  }

  return {
    async enter(entering) {
      if (entering.length === 0) return
      const oldest = await oldestMs()
      const rows = await database.rows('SELECT series, known_from, reaches_to FROM slo_backfills')
      const kept = new Map(rows.map((row) => [String(row['series']), row]))
      const changed = new Set<string>()
      for (const { slo, knownFromMs } of entering) {
        const windowMs = Math.max(
          REACH_MIN_MS,
          ...slo.judged.map(({ compiled }) => windowLengthMs(compiled.policy.window, knownFromMs)),
        )
        for (const question of slo.questions) {
          const { series } = question
          const reach = Math.max(oldest, knownFromMs - windowMs, knownFromMs - keptDays(question) * DAY_MS)
          const reachesToMs = Math.min(knownFromMs, Math.ceil(reach / 60_000) * 60_000)
          const row = kept.get(series)
          const begun =
            progress.get(series) ??
            (row && {
              knownFromMs: (row['known_from'] as Date).getTime(),
              reachesToMs: (row['reaches_to'] as Date).getTime(),
              beganAtMs: knownFromMs,
            })
          if (begun !== undefined) {
            progress.set(series, begun)
            // Another SLO asks the same, and looks further back.
            if (reachesToMs < begun.reachesToMs) {
              begun.reachesToMs = reachesToMs
              changed.add(series)
            }
            continue
          }
          progress.set(series, {
            knownFromMs: Math.floor(knownFromMs / 60_000) * 60_000,
            reachesToMs,
            beganAtMs: knownFromMs,
          })
          changed.add(series)
        }
      }
      await keep(changed)
    },
    async retain(series) {
      for (const key of progress.keys()) if (!series.has(key)) progress.delete(key)
      await database.rows('DELETE FROM slo_backfills WHERE NOT (series = ANY ($1::text[]))', [[...series]])
    },
    async step(nowMs) {
      const open = [...book.slos()].flatMap((slo) =>
        slo.questions.flatMap((question) => {
          const one = progress.get(question.series)
          return one !== undefined && one.knownFromMs > one.reachesToMs ? [{ slo, question, one }] : []
        }),
      )
      // The newest first; all that stand at the same instant are measured together.
      const newest = Math.max(...open.map(({ one }) => one.knownFromMs))
      const first = open.find(({ one }) => one.knownFromMs === newest)
      if (first === undefined) return undefined
      const together = open.filter(
        ({ one, slo }) => one.knownFromMs === newest && slo.stepMs === first.slo.stepMs,
      )
      const reach = Math.min(...together.map(({ one }) => one.reachesToMs))
      const questions = new Map(together.map(({ question }) => [question.series, question]))
      const fromMs = Math.max(reach, newest - pieceMs(first.slo.stepMs, questions.size))
      const slices = await measurePiece([...questions.values()], fromMs, newest)
      const token = `backfill:${first.slo.stepMs}:${fromMs}-${newest}:${nowMs}`
      await writeSlices(store, slices, nowMs, token)
      for (const { one } of together) one.knownFromMs = Math.max(one.reachesToMs, fromMs)
      await keep(questions.keys())
      return [...new Set(together.map(({ slo }) => slo))]
    },
    progressOf(slo) {
      const all = slo.questions.flatMap((question) => progress.get(question.series) ?? [])
      const open = all.filter(({ knownFromMs, reachesToMs }) => knownFromMs > reachesToMs)
      if (open.length === 0) return undefined
      const ratios = all.map(({ knownFromMs, reachesToMs, beganAtMs }) =>
        beganAtMs <= reachesToMs ? 1 : (beganAtMs - knownFromMs) / (beganAtMs - reachesToMs),
      )
      return {
        reachesToMs: Math.min(...open.map(({ reachesToMs }) => reachesToMs)),
        doneRatio: Math.max(0, Math.min(...ratios)),
      }
    },
    async again(knownFromMs) {
      progress.clear()
      await database.rows('UPDATE slo_backfills SET known_from = $1 WHERE known_from < $1', [
        new Date(knownFromMs),
      ])
    },
  }
}

/** A minute as its six slices: what the minute had is spread evenly, so that sums over minutes are exact. */
function spread(minute: MeasuredSlice): MeasuredSlice[] {
  const bad = minute.total - minute.good
  const share = (count: number, place: number) =>
    Math.floor((count * (place + 1)) / 6) - Math.floor((count * place) / 6)
  return Array.from({ length: 6 }, (_, place) => {
    const good = share(minute.good, place)
    return {
      ...minute,
      stepSeconds: 10,
      startSecond: minute.startSecond + place * 10,
      good,
      total: good + share(bad, place),
    }
  })
}
