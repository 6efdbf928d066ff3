// One fault's rows made ready to be judged: which count as bad, which the fault is about, what was usual in each entry and cell before.
// Everything later is sums over these columns.

import { overDispersion } from '../statistics/log-odds.ts'
import { TOUCHED_NEW, TOUCHED_OLD, UNTOUCHED, type FaultCase, type TraceRows } from './case.ts'

export const MINUTE_MS = 60_000

/** Bad requests that a cell's usual ratio is shrunk towards its entry's by. */
const SHRINKAGE = 4

export type CaseColumns = {
  readonly case: FaultCase
  /** Bad requests by row, of the fault's measure. */
  readonly bad: Float64Array
  /** By entry: whether the fault is about it. */
  readonly isAffected: readonly boolean[]
  /** By cell: whether the fault's place takes it in. */
  readonly isInPlace: readonly boolean[]
  /** By minute since `fromMinute`, affected entries and cells of the place alone. */
  readonly series: Series
}

/** Requests and bad ones by minute since `fromMinute`. */
export type Series = { readonly requests: Float64Array; readonly bad: Float64Array }

/** What was usual, by entry × cells + cell: bad ÷ requests, and how many bad ones that was learned from. */
export type Usual = {
  readonly ratio: Float64Array
  readonly bad: Float64Array
  readonly requests: Float64Array
}

export function caseColumns(faultCase: FaultCase): CaseColumns {
  const bad = badOf(faultCase.rows, faultCase.fault.measure)
  const isAffected = affectedEntries(faultCase)
  const isInPlace = cellsOfPlace(faultCase)
  return {
    case: faultCase,
    bad,
    isAffected,
    isInPlace,
    series: seriesOf(faultCase, bad, isAffected, isInPlace),
  }
}

export function badOf(rows: TraceRows, measure: FaultCase['fault']['measure']): Float64Array {
  if (measure === 'latency') return rows.slow
  const bad = new Float64Array(rows.length)
  for (let row = 0; row < rows.length; row++)
    bad[row] = at(rows.systemErrors, row) + at(rows.businessErrors, row) + at(rows.shed, row)
  return bad
}

function affectedEntries({ isAffected, entries, fault }: FaultCase): readonly boolean[] {
  if (isAffected?.some(Boolean) === true) return isAffected
  const { service, operation, txnCode } = fault.place
  const matches = entries.map(
    (entry) =>
      (service === '' || entry.service === service) &&
      (operation === '' || entry.operation === operation) &&
      (txnCode === '' || entry.txnCode === txnCode),
  )
  // A fault of a service that is no entry is about all entries that are here.
  return matches.some(Boolean) ? matches : entries.map(() => true)
}

function cellsOfPlace({ cells, fault }: FaultCase): readonly boolean[] {
  const { channel, site, region, branch } = fault.place
  const matches = cells.map(
    (cell) =>
      (channel === '' || cell.channel === channel) &&
      (site === '' || cell.site === site) &&
      (region === '' || cell.region === region) &&
      (branch === '' || cell.branch === branch),
  )
  return matches.some(Boolean) ? matches : cells.map(() => true)
}

function seriesOf(
  { rows, fromMinute, toMinute }: FaultCase,
  bad: Float64Array,
  isAffected: readonly boolean[],
  isInPlace: readonly boolean[],
): Series {
  const length = Math.max(0, toMinute - fromMinute)
  const series = { requests: new Float64Array(length), bad: new Float64Array(length) }
  for (let row = 0; row < rows.length; row++) {
    if (isAffected[at(rows.entry, row)] !== true || isInPlace[at(rows.cell, row)] !== true) continue
    const minute = at(rows.minute, row) - fromMinute
    if (minute < 0 || minute >= length) continue
    series.requests[minute] = at(series.requests, minute) + at(rows.requests, row)
    series.bad[minute] = at(series.bad, minute) + at(bad, row)
  }
  return series
}

/**
 * The fault's slice by one attribute of its cells and by entry: where a small group of callers is hit, the whole does not show when it began.
 * At most `most` parts, those with most bad requests.
 */
export function sliceSeries(
  { case: faultCase, bad, isAffected, isInPlace }: CaseColumns,
  most: number,
): readonly Series[] {
  const { rows, cells, entries, fromMinute, toMinute } = faultCase
  const length = Math.max(0, toMinute - fromMinute)
  const parts = new Map<string, { series: Series; bad: number }>()
  const keysOf = cells.map(({ region, branch, teller, channel }) => [
    ...(region === '' ? [] : [`region ${region}`]),
    ...(branch === '' ? [] : [`branch ${branch}`]),
    ...(teller === '' ? [] : [`teller ${teller}`, `teller ${branch} ${teller}`]),
    ...(channel === '' ? [] : [`channel ${channel}`]),
  ])
  const entryKeys = entries.map((_, entry) => `entry ${entry}`)
  for (let row = 0; row < rows.length; row++) {
    const [entry, cell] = [at(rows.entry, row), at(rows.cell, row)]
    const minute = at(rows.minute, row) - fromMinute
    if (isAffected[entry] !== true || isInPlace[cell] !== true || minute < 0 || minute >= length) continue
    for (const key of [entryKeys[entry] ?? '', ...(keysOf[cell] ?? [])]) {
      let part = parts.get(key)
      if (part === undefined) {
        part = { series: { requests: new Float64Array(length), bad: new Float64Array(length) }, bad: 0 }
        parts.set(key, part)
      }
      part.series.requests[minute] = at(part.series.requests, minute) + at(rows.requests, row)
      part.series.bad[minute] = at(part.series.bad, minute) + at(bad, row)
      part.bad += at(bad, row)
    }
  }
  return [...parts]
    .sort((a, b) => b[1].bad - a[1].bad || (a[0] < b[0] ? -1 : 1))
    .slice(0, most)
    .map(([, { series }]) => series)
}

/** What was usual before `beforeMinute`, with the day before where it is kept. */
export function usualBefore({ case: faultCase, bad }: CaseColumns, beforeMinute: number): Usual {
  const { rows, dayBefore, cells, entries, fault } = faultCase
  const width = cells.length
  const size = entries.length * width
  const usual = {
    ratio: new Float64Array(size),
    bad: new Float64Array(size),
    requests: new Float64Array(size),
  }
  const add = (from: TraceRows, badOfRow: Float64Array, until: number): void => {
    for (let row = 0; row < from.length; row++) {
      if (at(from.minute, row) >= until) continue
      const key = at(from.entry, row) * width + at(from.cell, row)
      usual.requests[key] = at(usual.requests, key) + at(from.requests, row)
      usual.bad[key] = at(usual.bad, key) + at(badOfRow, row)
    }
  }
  add(rows, bad, beforeMinute)
  if (dayBefore !== undefined) add(dayBefore, badOf(dayBefore, fault.measure), Infinity)
  for (let entry = 0; entry < entries.length; entry++) {
    let [allBad, all] = [0, 0]
    for (let cell = 0; cell < width; cell++) {
      allBad += at(usual.bad, entry * width + cell)
      all += at(usual.requests, entry * width + cell)
    }
    const ratio = (allBad + 0.5) / (all + 500)
    for (let cell = 0; cell < width; cell++) {
      const key = entry * width + cell
      usual.ratio[key] = Math.min(
        0.9,
        (at(usual.bad, key) + SHRINKAGE) / (at(usual.requests, key) + SHRINKAGE / ratio),
      )
    }
  }
  return usual
}

/** φ of the fault's slice by minute before the onset, within 1–6; sampled counts vary more, by what one span stands for. */
export function dispersionBefore(columns: CaseColumns, beforeMinute: number): number {
  const { series } = columns
  const parts: { bad: number; requests: number }[] = []
  for (let minute = 0; minute < Math.min(series.bad.length, beforeMinute - columns.case.fromMinute); minute++)
    parts.push({ bad: at(series.bad, minute), requests: at(series.requests, minute) })
  const sampled = columns.case.sampledRatio
  return Math.max(
    Math.min(6, overDispersion(parts)),
    sampled > 0 && sampled < 1 ? Math.min(100, 1 / sampled) : 1,
  )
}

/**
 * How each row touches a candidate. What traces do not show is read from time and scope: after it took effect, inside its scope,
 * a request that met its service met what is new.
 */
export function touchesOf(faultCase: FaultCase, index: number): Uint8Array {
  const known = touchesKept.get(faultCase) ?? new Map<number, Uint8Array>()
  touchesKept.set(faultCase, known)
  const touches = known.get(index) ?? readTouches(faultCase, index)
  known.set(index, touches)
  return touches
}

/** One judgement asks for the same rows several times. */
const touchesKept = new WeakMap<FaultCase, Map<number, Uint8Array>>()

function readTouches(faultCase: FaultCase, index: number): Uint8Array {
  const { rows, touches, candidates } = faultCase
  const candidate = candidates[index]
  const byTouch = Uint8Array.from(touches, (touch) => touch[index] ?? UNTOUCHED)
  const out = new Uint8Array(rows.length)
  if (candidate === undefined) return out
  if (candidate.isVisible) {
    for (let row = 0; row < rows.length; row++) out[row] = at(byTouch, at(rows.touch, row))
    return out
  }
  const ready = candidate.release.readyAtMs ?? candidate.release.startedAtMs
  const readyMinute = Math.floor(ready / MINUTE_MS)
  const ended = candidate.release.state === 'rolled_back' || candidate.release.state === 'removed'
  const endMinute =
    ended && candidate.release.endedAtMs !== undefined
      ? Math.floor(candidate.release.endedAtMs / MINUTE_MS)
      : Infinity
  const scope = candidate.scopeCells === undefined ? undefined : new Set(candidate.scopeCells)
  for (let row = 0; row < rows.length; row++) {
    if (at(byTouch, at(rows.touch, row)) === UNTOUCHED) continue
    const minute = at(rows.minute, row)
    const isNew =
      minute >= readyMinute && minute <= endMinute && (scope === undefined || scope.has(at(rows.cell, row)))
    out[row] = isNew ? TOUCHED_NEW : TOUCHED_OLD
  }
  return out
}

type Column = Float64Array | Int32Array | Uint8Array
/** Reads within bounds that the caller keeps. */
export const at = (column: Column, index: number): number => column[index] as number
