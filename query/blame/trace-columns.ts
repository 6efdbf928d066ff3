// Puts rows of traces, as the store answers them by entry and cell, into the columns that a judgement goes through. Cells and
// touches are numbered here, in the order of the rows, so that two answers (today, the day before) share their numbers.

import type { CallerRow, Cell, Touch, TraceRows } from './case.ts'
import type { TraceRowsSeen } from './gather-questions.ts'

export type TraceIndex = {
  readonly cells: Cell[]
  readonly touches: (readonly Touch[])[]
  cellOf(cell: Cell): number
  touchOf(text: string): number
}

export function buildTraceIndex(): TraceIndex {
  const cells: Cell[] = []
  const touches: (readonly Touch[])[] = []
  const cellNumbers = new Map<string, number>()
  const touchNumbers = new Map<string, number>()
  function numberOf<T>(known: Map<string, number>, list: T[], key: string, make: () => T): number {
    const number = known.get(key)
    if (number !== undefined) return number
    known.set(key, list.length)
    return list.push(make()) - 1
  }
  return {
    cells,
    touches,
    cellOf(cell) {
      const { channel, site, region, branch, teller } = cell
      const key = [channel, site, region, branch, teller].join('\u001F')
      return numberOf(cellNumbers, cells, key, () => ({ channel, site, region, branch, teller }))
    },
    touchOf: (text) =>
      numberOf(touchNumbers, touches, text, () => [...text].map((digit) => Number(digit) as Touch)),
  }
}

/** Minutes are as told: the day before has its own. `left`: rows beyond the bound, of the last entries. */
export function traceColumns(
  seen: readonly TraceRowsSeen[],
  index: TraceIndex,
  rowsMax: number,
): { readonly rows: TraceRows; readonly left: number } {
  const ofCells = seen.filter(({ kind }) => kind === 0)
  const all = ofCells.reduce((sum, { minutes }) => sum + minutes.length, 0)
  const length = Math.min(all, rowsMax)
  const rows = {
    length,
    minute: new Int32Array(length),
    entry: new Int32Array(length),
    cell: new Int32Array(length),
    touch: new Int32Array(length),
    requests: new Float64Array(length),
    systemErrors: new Float64Array(length),
    businessErrors: new Float64Array(length),
    shed: new Float64Array(length),
    rejects: new Float64Array(length),
    slow: new Float64Array(length),
  }
  let at = 0
  for (const part of ofCells) {
    const cell = index.cellOf(part)
    for (const [place, minute] of part.minutes.entries()) {
      if (at === length) break
      rows.minute[at] = minute
      rows.entry[at] = part.entry
      rows.cell[at] = cell
      rows.touch[at] = index.touchOf(part.touches[place] ?? '')
      rows.requests[at] = part.requests[place] ?? 0
      rows.systemErrors[at] = part.system_errors[place] ?? 0
      rows.businessErrors[at] = part.business_errors[place] ?? 0
      rows.shed[at] = part.shed[place] ?? 0
      rows.rejects[at] = part.rejects[place] ?? 0
      rows.slow[at] = part.slow[place] ?? 0
      at += 1
    }
  }
  return { rows, left: all - length }
}

/** Entry requests by who sent them. */
export function callerRows(seen: readonly TraceRowsSeen[]): CallerRow[] {
  return seen
    .filter(({ kind }) => kind !== 0)
    .flatMap(({ kind, name, minutes, requests, system_errors, business_errors, shed, slow }) =>
      minutes.map((minute, place) => ({
        minute,
        kind: kind === 1 ? ('client_version' as const) : ('caller' as const),
        name,
        requests: requests[place] ?? 0,
        bad: (system_errors[place] ?? 0) + (business_errors[place] ?? 0) + (shed[place] ?? 0),
        slow: slow[place] ?? 0,
      })),
    )
}
