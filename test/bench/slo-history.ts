// Thirty days of slices for many SLOs that need no memory: a slice's counts follow from its SLO, its place in time and its
// revision. So an answer can be counted anew from the start, whatever came late in between.

import { EMPTY, emptyColumns, MEASURED, UNMEASURED, type SliceColumns } from '../../query/slo/slices.ts'

const MEASURED_TWICE_EVERY = 7
const UNMEASURED_EVERY = 997
const EMPTY_EVERY = 251

export type SliceCounts = { good: number; total: number; state: number; revision: number }

/** Counts of one slice at its newest revision; `first` tells what was measured at first. */
export function countsOf(slo: number, slice: number, out: SliceCounts, isFirst = false): void {
  let hash = Math.imul(slo + 1, 0x9e37_79b1) ^ Math.imul(slice, 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d)
  hash = (hash ^ (hash >>> 13)) >>> 0
  out.revision = 1
  if (hash % UNMEASURED_EVERY === 0) {
    out.good = 0
    out.total = 0
    out.state = UNMEASURED
    return
  }
  if (hash % EMPTY_EVERY === 0) {
    out.good = 0
    out.total = 0
    out.state = EMPTY
    return
  }
  const total = 40 + (hash & 127)
  const isLate = hash % MEASURED_TWICE_EVERY === 0
  const late = isLate ? 1 + ((hash >>> 20) & 7) : 0
  const seen = isLate && isFirst ? total - late : total
  const bad = ((hash >>> 7) & 31) === 0 ? (hash >>> 12) & 7 : 0
  out.total = seen
  out.good = seen - Math.min(seen, bad)
  out.state = MEASURED
  if (isLate && !isFirst) out.revision = 2
}

/** Columns over [from, to) at their newest revisions. */
export function columnsOf(slo: number, from: number, to: number, stepMs: number): SliceColumns {
  const columns = emptyColumns(stepMs, from, to - from)
  const counts: SliceCounts = { good: 0, total: 0, state: 0, revision: 0 }
  for (let slice = from; slice < to; slice++) {
    countsOf(slo, slice, counts)
    columns.good[slice - from] = counts.good
    columns.total[slice - from] = counts.total
    columns.state[slice - from] = counts.state
    columns.revision[slice - from] = counts.revision
  }
  return columns
}
