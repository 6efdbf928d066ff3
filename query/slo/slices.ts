// Slices: what was counted in one step of time. Three-valued, because no traffic and no telemetry are different facts.
// Their columns, their newest revision; sums over them live in window-sums.ts, where they are kept in the store.

/** As kept in columns: nothing was learnt · it was looked and there was no event · there were events. */
export const UNMEASURED = 0
export const EMPTY = 1
export const MEASURED = 2

/** One measuring of one slice. */
export type SliceRow = {
  /** First instant of the slice, a multiple of its step. */
  readonly startMs: number
  /** Whole numbers below 2^32, good ≤ total. */
  readonly good: number
  readonly total: number
  /** Whole number below 2^32 that grows with each measuring of the slice, e.g. the second of the measuring since 2020. */
  readonly revision: number
  /** False takes back what was known: the slice is unmeasured again. */
  readonly isKnown: boolean
}

/** Slices of one SLO without gaps in time; what is not known stands as unmeasured. */
export type SliceColumns = {
  readonly stepMs: number
  /** Number of the first slice: its start ÷ stepMs. */
  readonly from: number
  readonly good: Uint32Array
  readonly total: Uint32Array
  readonly state: Uint8Array
  readonly revision: Uint32Array
}

export const COUNT_MAX = 2 ** 32 - 1

export function sliceNumber(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs)
}

/** Columns for the slices [from, from + length), all unmeasured. */
export function emptyColumns(stepMs: number, from: number, length: number): SliceColumns {
  return {
    stepMs,
    from,
    good: new Uint32Array(length),
    total: new Uint32Array(length),
    state: new Uint8Array(length),
    revision: new Uint32Array(length),
  }
}

/** The state a row says its slice has. */
export function stateOf(row: Pick<SliceRow, 'isKnown' | 'total'>): number {
  if (!row.isKnown) return UNMEASURED
  return row.total === 0 ? EMPTY : MEASURED
}

/** @returns what makes a row impossible, or undefined */
export function rowFault(row: SliceRow, stepMs: number): string | undefined {
  if (!Number.isSafeInteger(row.startMs) || row.startMs % stepMs !== 0)
    return `starts off the grid of ${stepMs} ms`
  if (!isCount(row.good) || !isCount(row.total)) return `counts must be whole numbers from 0 to ${COUNT_MAX}`
  if (row.good > row.total) return 'has more good events than events'
  if (!isCount(row.revision)) return `revision must be a whole number from 0 to ${COUNT_MAX}`
  return undefined
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= COUNT_MAX
}

export type Merged = {
  readonly taken: number
  /** An older or equal measuring of a slice. */
  readonly outdated: number
  /** Outside of the columns. */
  readonly outside: number
}

/**
 * Puts rows into columns: the newest revision of each slice stays, in whichever order rows come and however often.
 * @throws RangeError for an impossible row, naming it
 */
export function mergeNewest(columns: SliceColumns, rows: Iterable<SliceRow>): Merged {
  let taken = 0
  let outdated = 0
  let outside = 0
  for (const row of rows) {
    const fault = rowFault(row, columns.stepMs)
    if (fault !== undefined) throw new RangeError(`slice at ${row.startMs} ${fault}`)
    const index = row.startMs / columns.stepMs - columns.from
    if (index < 0 || index >= columns.total.length) {
      outside++
      continue
    }
    const state = stateOf(row)
    if (
      !isNewer(
        row.revision,
        state,
        row.good,
        row.total,
        columns.revision[index] ?? 0,
        columns.state[index] ?? 0,
        columns.good[index] ?? 0,
        columns.total[index] ?? 0,
      )
    ) {
      outdated++
      continue
    }
    columns.good[index] = state === MEASURED ? row.good : 0
    columns.total[index] = state === MEASURED ? row.total : 0
    columns.state[index] = state
    columns.revision[index] = row.revision
    taken++
  }
  return { taken, outdated, outside }
}

/**
 * Whether a measuring replaces another. Two of one revision should be the same; if they are not, the fuller one stays,
 * so that the outcome does not depend on the order.
 */
export function isNewer(
  revision: number,
  state: number,
  good: number,
  total: number,
  oldRevision: number,
  oldState: number,
  oldGood: number,
  oldTotal: number,
): boolean {
  if (revision !== oldRevision) return revision > oldRevision
  if (state !== oldState) return state > oldState
  if (total !== oldTotal) return total > oldTotal
  return good > oldGood
}

/** Counts from what a source reports: good or bad beside all, or single ratios of success or of failure. */
export function goodAndTotal(
  reported:
    | { readonly good: number; readonly total: number }
    | { readonly bad: number; readonly total: number }
    | {
        readonly rawSum: number
        readonly samples: number
        readonly rawType: 'success' | 'failure'
      },
): { readonly good: number; readonly total: number } {
  if ('good' in reported) return { good: reported.good, total: reported.total }
  if ('bad' in reported) return { good: reported.total - reported.bad, total: reported.total }
  // A ratio has no events: a sample counts as a thousand of them, so that a tenth of a percent is still whole.
  const total = reported.samples * RAW_WEIGHT
  const share = Math.round(reported.rawSum * RAW_WEIGHT)
  return { good: reported.rawType === 'success' ? share : total - share, total }
}

const RAW_WEIGHT = 1_000
