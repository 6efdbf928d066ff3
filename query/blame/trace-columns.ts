// Puts rows of traces, as the store answers them by entry and cell, into the columns that a judgement goes through. Cells and
// touches are numbered here, in the order of the rows, so that two answers (today, the day before) share their numbers.

import type { CallerRow, Cell, Touch, TraceRows } from './case.ts'
import type { CallerSeen, TraceRowsSeen } from './gather-questions.ts'

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
  const all = seen.reduce((sum, { minutes }) => sum + minutes.length, 0)
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
  for (const part of seen) {
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

/** Entry requests by who sent them: client versions and callers apart, each minute's one row. */
export function callersOf(seen: readonly CallerSeen[]): CallerRow[] {
  const rows = new Map<string, CallerRow>()
  for (const { minute, client, sender, requests, failed, slow } of seen) {
    for (const [kind, name] of [
      ['client_version', client],
      ['caller', sender],
    ] as const) {
      if (name === '') continue
      const key = `${minute} ${kind} ${name}`
      const known = rows.get(key) ?? { minute, kind, name, requests: 0, bad: 0, slow: 0 }
      const summed = { requests: known.requests + requests, bad: known.bad + failed, slow: known.slow + slow }
      rows.set(key, { ...known, ...summed })
    }
  }
  return [...rows.values()].toSorted(
    (a, b) => a.minute - b.minute || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.name < b.name ? -1 : 1),
  )
}
