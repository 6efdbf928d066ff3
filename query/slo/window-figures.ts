// What a window holds: counts of all units and of those that are not excluded. Both are always told.

export type Counts = {
  /** Good and all: events (Occurrences) or time slices; the good part of RatioTimeslices is not whole. */
  readonly good: number
  readonly total: number
  /** Units of time that are known, those without events among them. */
  readonly known: number
  readonly empty: number
  /** Units of time that should be known. */
  readonly expected: number
}

export type WindowFigures = {
  /** The window ends at the newest counted unit; with an open slice that is judged as well, in it. */
  readonly fromMs: number
  readonly toMs: number
  /** End of the whole window: later than toMs for a calendar window that still runs. */
  readonly endMs: number
  /** Units of time in the whole window. */
  readonly wholeUnits: number
  /** All units. */
  readonly gross: Counts
  /** Without excluded ones: what is judged. */
  readonly net: Counts
}

/** Sums of one window as the store makes them; good and total as in Counts. */
export type WindowTotals = {
  readonly all: Omit<Counts, 'expected'>
  readonly excluded: Omit<Counts, 'expected'>
}

/** Known ÷ expected; undefined when nothing is expected, because all of it is excluded. */
export function coverageRatio(counts: Counts): number | undefined {
  return counts.expected > 0 ? counts.known / counts.expected : undefined
}
