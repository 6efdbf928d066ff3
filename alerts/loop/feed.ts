// Measured slices into sums: which of them are new or different, and which groups they bring.

import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import { stateOf } from '../../query/slo/slices.ts'
import type { Book } from './book.ts'
import { fittedCounts as fitted } from '../../query/promises/fitted-counts.ts'

/** Those that nobody knows yet as they are. Nothing is known of a slice without a row, so unmeasured ones need none. */
export function differing(book: Book, slices: readonly MeasuredSlice[]): MeasuredSlice[] {
  return slices.filter((slice) => {
    const held = heldSlice(book, slice)
    if (held === undefined) return slice.isKnown
    const { good, total } = fitted(slice)
    return held.state !== stateOf(slice) || held.good !== good || held.total !== total
  })
}

function heldSlice(book: Book, { series, group, startSecond, stepSeconds }: MeasuredSlice) {
  const [sums] = book.sumsOf(series, group)
  const slice = startSecond / stepSeconds
  if (sums === undefined || slice >= sums.head) return undefined
  return sums.slice(slice)
}

/** @returns whether all who count it took it; one that left their memory is not taken */
export function feed(book: Book, slice: MeasuredSlice, revision: number): boolean {
  const { good, total } = fitted(slice)
  const at = slice.startSecond / slice.stepSeconds
  let isTaken = true
  for (const sums of book.sumsOf(slice.series, slice.group))
    if (sums.put(at, good, total, stateOf(slice), revision) === 'cold') isTaken = false
  return isTaken
}
