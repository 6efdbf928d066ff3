// Puts rows of traces, minute by minute, into the columns that a judgement goes through: by entry and cell, then by minute and touch. Cells
// and touches are numbered here, in the order of the rows, so that two answers (today, the day before) share their numbers.

import type { Cell, Touch, TraceRows } from './case.ts'
import type { ByMinute } from './gather-memory.ts'
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
      return numberOf(cellNumbers, cells, cellKey(cell), () => ({ channel, site, region, branch, teller }))
    },
    touchOf: (text) =>
      numberOf(touchNumbers, touches, text, () => text.split('').map((digit) => Number(digit) as Touch)),
  }
}

const cellKey = ({ channel, site, region, branch, teller }: Cell) =>
  [channel, site, region, branch, teller].join('\u001F')

/** Requests of one entry and cell, all that share it. */
export type TraceGroup = Cell & { readonly entry: number; readonly key: string }

export const traceGroup = (entry: number, { channel, site, region, branch, teller }: Cell): TraceGroup => ({
  entry,
  channel,
  site,
  region,
  branch,
  teller,
  key: `${entry} ${cellKey({ channel, site, region, branch, teller })}`,
})

/** Requests of a minute that met the candidates alike: a digit each, clients' after all others. */
export type TraceRow = {
  readonly group: TraceGroup
  readonly touch: string
  readonly requests: number
  readonly systemErrors: number
  readonly businessErrors: number
  readonly shed: number
  readonly rejects: number
  readonly slow: number
}

export function tracesByMinute(seen: readonly TraceRowsSeen[]): Map<number, TraceRow[]> {
  const found = new Map<number, TraceRow[]>()
  for (const part of seen) {
    const group = traceGroup(part.entry, part)
    for (const [place, minute] of part.minutes.entries()) {
      const row = {
        group,
        touch: part.touches[place] ?? '',
        requests: part.requests[place] ?? 0,
        systemErrors: part.system_errors[place] ?? 0,
        businessErrors: part.business_errors[place] ?? 0,
        shed: part.shed[place] ?? 0,
        rejects: part.rejects[place] ?? 0,
        slow: part.slow[place] ?? 0,
      }
      const known = found.get(minute)
      if (known === undefined) found.set(minute, [row])
      else known.push(row)
    }
  }
  return found
}

/**
 * Minutes are as told: the day before has its own. `left`: rows beyond the bound, of the last entries.
 *
 * @param settled  how a touch is told at last
 */
export function traceColumns(
  minutes: ByMinute<TraceRow>,
  index: TraceIndex,
  rowsMax: number,
  settled: (touch: string) => string = (touch) => touch,
): { readonly rows: TraceRows; readonly left: number } {
  const groups = new Map<string, { group: TraceGroup; rows: { minute: number; row: TraceRow }[] }>()
  let all = 0
  for (const minute of [...minutes.keys()].toSorted((a, b) => a - b))
    for (const row of (minutes.get(minute) ?? []).toSorted((a, b) => order(a.touch, b.touch))) {
      all += 1
      const known = groups.get(row.group.key)
      if (known === undefined) groups.set(row.group.key, { group: row.group, rows: [{ minute, row }] })
      else known.rows.push({ minute, row })
    }
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
  for (const { group, rows: own } of [...groups.values()].toSorted((a, b) => byGroup(a.group, b.group))) {
    if (at === length) break
    const cell = index.cellOf(group)
    for (const { minute, row } of own) {
      if (at === length) break
      rows.minute[at] = minute
      rows.entry[at] = group.entry
      rows.cell[at] = cell
      rows.touch[at] = index.touchOf(settled(row.touch))
      rows.requests[at] = row.requests
      rows.systemErrors[at] = row.systemErrors
      rows.businessErrors[at] = row.businessErrors
      rows.shed[at] = row.shed
      rows.rejects[at] = row.rejects
      rows.slow[at] = row.slow
      at += 1
    }
  }
  return { rows, left: all - length }
}

/** By code units, wherever one is. */
export const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const byGroup = (a: TraceGroup, b: TraceGroup) =>
  a.entry - b.entry ||
  order(a.channel, b.channel) ||
  order(a.site, b.site) ||
  order(a.region, b.region) ||
  order(a.branch, b.branch) ||
  order(a.teller, b.teller)
