// One slice as it was measured.

export type MeasuredSlice = {
  readonly series: string
  /** Values of the group-by subjects as JSON; empty without. */
  readonly group: string
  readonly startSecond: number
  readonly stepSeconds: number
  /** Thousandths of an event. */
  readonly good: number
  readonly total: number
  /** False: it could not be learnt what was in it. */
  readonly isKnown: boolean
}

export type Measured = {
  readonly slices: readonly MeasuredSlice[]
  /** Series with more groups than they may have, and how many they have: none of them is measured. */
  readonly tooManyGroups: ReadonlyMap<string, number>
}
