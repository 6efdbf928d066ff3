// One window counted from columns, slice by slice: for instants of the past, charts, reports, and as the oracle that
// running sums are held against.

import {
  PARTS,
  RATIO_SCALE,
  UNIT_EMPTY,
  UNIT_GOOD,
  UNIT_KNOWN,
  UNIT_TOTAL,
  unitMs,
  unitReader,
} from './budgeting.ts'
import type { Budgeting } from './budgeting.ts'
import { isWithin, mergeRanges, type SliceRange } from './slice-ranges.ts'
import type { SliceColumns } from './slices.ts'
import type { Counts, WindowFigures } from './window-figures.ts'

/**
 * @param range     slices [from, to), whole units; what the columns do not have is unmeasured
 * @param excluded  ranges of slices, widened to whole units
 * @param endMs     end of the whole window when it is not over
 */
export function countWindow(
  columns: SliceColumns,
  budgeting: Budgeting,
  range: SliceRange,
  excluded: readonly SliceRange[] = [],
  endMs?: number,
): WindowFigures {
  const { stepMs } = columns
  const lengthMs = unitMs(budgeting, stepMs)
  const steps = lengthMs / stepMs
  const read = unitReader(budgeting, stepMs)
  const scale = budgeting.method === 'RatioTimeslices' ? RATIO_SCALE : 1
  const units = mergeRanges(
    excluded.map(({ from, to }) => ({ from: Math.floor(from / steps), to: Math.ceil(to / steps) })),
  )
  const unit = new Float64Array(PARTS)
  const gross = new Float64Array(PARTS + 1)
  const net = new Float64Array(PARTS + 1)
  for (let place = range.from / steps; place < range.to / steps; place++) {
    const index = place * steps - columns.from
    unit.fill(0)
    if (index >= 0 && index + steps <= columns.total.length)
      read(columns.good, columns.total, columns.state, index, Number.MAX_SAFE_INTEGER, unit)
    add(gross, unit)
    if (!isWithin(units, place)) add(net, unit)
  }
  return {
    fromMs: range.from * stepMs,
    toMs: range.to * stepMs,
    endMs: endMs ?? range.to * stepMs,
    wholeUnits: Math.floor(((endMs ?? range.to * stepMs) - range.from * stepMs) / lengthMs),
    gross: countsOf(gross, scale),
    net: countsOf(net, scale),
  }
}

function add(sums: Float64Array, unit: Float64Array): void {
  for (let part = 0; part < PARTS; part++) sums[part] = (sums[part] ?? 0) + (unit[part] ?? 0)
  sums[PARTS] = (sums[PARTS] ?? 0) + 1
}

function countsOf(sums: Float64Array, scale: number): Counts {
  return {
    good: (sums[UNIT_GOOD] ?? 0) / scale,
    total: (sums[UNIT_TOTAL] ?? 0) / scale,
    known: sums[UNIT_KNOWN] ?? 0,
    empty: sums[UNIT_EMPTY] ?? 0,
    expected: sums[PARTS] ?? 0,
  }
}
