// E2, the heart: are requests that met what is new worse than those that did not, at the same minutes? One pass over the rows for
// each candidate.

import { crosses } from '../statistics/always-valid.ts'
import { MantelHaenszel, type LogOdds } from '../statistics/log-odds.ts'
import { TOUCHED_NEW, TOUCHED_OLD } from './case.ts'
import { at, touchesOf, type CaseColumns, type Usual } from './case-columns.ts'
import { concentration, type Concentration } from './concentration.ts'

/** Of calling a harmless release guilty, over all looks at one fault. */
export const PEEKING_ALPHA = 0.001

/** Part of the over-dispersion between minutes that is left within them. */
const WITHIN = 0.3

export type Side = { readonly requests: number; readonly bad: number; readonly usual: number }

export type ExposureContrast = {
  readonly method: 'concurrent' | 'difference-in-differences' | 'none'
  /** Requests since the onset, on affected entries. */
  readonly exposed: Side
  /** Those that met the version before. */
  readonly control: Side
  /** All that did not meet what is new, untouched ones too. */
  readonly others: Side
  readonly effect: LogOdds | undefined
  readonly z: number
  /** z if all the excess had been this candidate's doing. */
  readonly zIfGuilty: number
  readonly isCrossed: boolean
  /** How well «its exposure» describes where bad requests are, on rows that all candidates share. */
  readonly race: Concentration
  /** Excess that lies among the exposed ÷ all excess, 0–1. */
  readonly explained: number
  /** By minute since `fromMinute`: exposed requests, bad ones and usual ones, and the same of all the rest. */
  readonly byMinute: {
    readonly exposed: Float64Array
    readonly exposedBad: Float64Array
    readonly exposedUsual: Float64Array
    readonly others: Float64Array
    readonly othersBad: Float64Array
    readonly othersUsual: Float64Array
  }
}

/** What all candidates of a case share: the window, strata numbers by row, sums over all rows. */
export type ContrastFrame = {
  readonly columns: CaseColumns
  readonly usual: Usual
  /** Over-dispersion of counts by minute. */
  readonly phi: number
  /** Of comparisons within a minute, where what moves all alike cancels. */
  readonly phiWithin: number
  /** Minutes since 1970, first and one after the last that are compared. */
  readonly from: number
  readonly to: number
  /** Rows in the window. */
  readonly windowRows: Int32Array
  /** Those on affected entries. */
  readonly rows: Int32Array
  readonly cellStratum: Int32Array
  readonly cellStrata: number
  readonly entryStratum: Int32Array
  readonly entryStrata: number
  readonly allWeight: Float64Array
  readonly allBad: Float64Array
  /** Usual bad ones by row of `rows`. */
  readonly weight: Float64Array
  readonly excess: number
}

export function contrastFrame(
  columns: CaseColumns,
  usual: Usual,
  phi: number,
  from: number,
  to: number,
): ContrastFrame {
  const { rows: all, cells, entries } = columns.case
  const inWindow: number[] = []
  const picked: number[] = []
  for (let row = 0; row < all.length; row++) {
    const minute = at(all.minute, row)
    if (minute < from || minute >= to) continue
    inWindow.push(row)
    if (columns.isAffected[at(all.entry, row)] === true) picked.push(row)
  }
  const rows = Int32Array.from(picked)
  const [width, minutes] = [cells.length, Math.max(1, to - from)]
  const numbers = new Map<number, number>()
  const cellStratum = new Int32Array(rows.length)
  const entryStratum = new Int32Array(rows.length)
  const entryStrata = entries.length * minutes
  const allWeight = new Float64Array(entryStrata)
  const allBad = new Float64Array(entryStrata)
  const weight = new Float64Array(rows.length)
  let excess = 0
  for (let index = 0; index < rows.length; index++) {
    const row = at(rows, index)
    const [entry, cell] = [at(all.entry, row), at(all.cell, row)]
    const stratum = entry * minutes + (at(all.minute, row) - from)
    const key = stratum * width + cell
    let number = numbers.get(key)
    if (number === undefined) numbers.set(key, (number = numbers.size))
    cellStratum[index] = number
    entryStratum[index] = stratum
    const usualBad = at(all.requests, row) * at(usual.ratio, entry * width + cell)
    weight[index] = usualBad
    allWeight[stratum] = at(allWeight, stratum) + usualBad
    allBad[stratum] = at(allBad, stratum) + at(columns.bad, row)
    excess += at(columns.bad, row) - usualBad
  }
  return {
    columns,
    usual,
    phi,
    phiWithin: 1 + WITHIN * (phi - 1),
    from,
    to,
    windowRows: Int32Array.from(inWindow),
    rows,
    cellStratum,
    cellStrata: numbers.size,
    entryStratum,
    entryStrata,
    allWeight,
    allBad,
    weight,
    excess: Math.max(0, excess),
  }
}

export function exposureContrast(frame: ContrastFrame, candidate: number): ExposureContrast {
  return contrastOf(frame, touchesOf(frame.columns.case, candidate))
}

/** The same for requests that met two candidates at once. */
export function jointContrast(frame: ContrastFrame, left: number, right: number): ExposureContrast {
  const [a, b] = [touchesOf(frame.columns.case, left), touchesOf(frame.columns.case, right)]
  return contrastOf(
    frame,
    a.map((touch, row) => (touch === TOUCHED_NEW && b[row] === TOUCHED_NEW ? TOUCHED_NEW : TOUCHED_OLD)),
  )
}

function contrastOf(frame: ContrastFrame, touch: Uint8Array): ExposureContrast {
  const { columns, usual, rows, weight } = frame
  const { rows: all, cells, entries, fromMinute, toMinute } = columns.case
  const sides = { n1: 0, k1: 0, e1: 0, n0: 0, k0: 0, e0: 0, nu: 0, ku: 0, eu: 0 }
  const strata = {
    n1: new Float64Array(frame.cellStrata),
    k1: new Float64Array(frame.cellStrata),
    n0: new Float64Array(frame.cellStrata),
    k0: new Float64Array(frame.cellStrata),
  }
  const groupWeight = new Float64Array(frame.entryStrata)
  const groupBad = new Float64Array(frame.entryStrata)
  const touchedPairs = {
    groupWeight,
    groupBad,
    allWeight: new Float64Array(frame.entryStrata),
    allBad: new Float64Array(frame.entryStrata),
  }
  const minutes = Math.max(0, toMinute - fromMinute)
  const byMinute = {
    exposed: new Float64Array(minutes),
    exposedBad: new Float64Array(minutes),
    exposedUsual: new Float64Array(minutes),
    others: new Float64Array(minutes),
    othersBad: new Float64Array(minutes),
    othersUsual: new Float64Array(minutes),
  }
  const width = cells.length
  const learnedFrom = {
    exposed: new Uint8Array(entries.length * width),
    control: new Uint8Array(entries.length * width),
  }
  for (let index = 0; index < rows.length; index++) {
    const row = at(rows, index)
    const [n, k, e] = [at(all.requests, row), at(columns.bad, row), at(weight, index)]
    const [stratum, group] = [at(frame.cellStratum, index), at(frame.entryStratum, index)]
    const minute = at(all.minute, row) - fromMinute
    if (touch[row] === TOUCHED_NEW) {
      sides.n1 += n
      sides.k1 += k
      sides.e1 += e
      strata.n1[stratum] = at(strata.n1, stratum) + n
      strata.k1[stratum] = at(strata.k1, stratum) + k
      groupWeight[group] = at(groupWeight, group) + e
      groupBad[group] = at(groupBad, group) + k
      touchedPairs.allWeight[group] = at(touchedPairs.allWeight, group) + e
      touchedPairs.allBad[group] = at(touchedPairs.allBad, group) + k
      byMinute.exposed[minute] = at(byMinute.exposed, minute) + n
      byMinute.exposedBad[minute] = at(byMinute.exposedBad, minute) + k
      byMinute.exposedUsual[minute] = at(byMinute.exposedUsual, minute) + e
      learnedFrom.exposed[at(all.entry, row) * width + at(all.cell, row)] = 1
      continue
    }
    byMinute.others[minute] = at(byMinute.others, minute) + n
    byMinute.othersBad[minute] = at(byMinute.othersBad, minute) + k
    byMinute.othersUsual[minute] = at(byMinute.othersUsual, minute) + e
    sides.nu += n
    sides.ku += k
    sides.eu += e
    if (touch[row] !== TOUCHED_OLD) continue
    sides.n0 += n
    sides.k0 += k
    sides.e0 += e
    touchedPairs.allWeight[group] = at(touchedPairs.allWeight, group) + e
    touchedPairs.allBad[group] = at(touchedPairs.allBad, group) + k
    strata.n0[stratum] = at(strata.n0, stratum) + n
    strata.k0[stratum] = at(strata.k0, stratum) + k
    learnedFrom.control[at(all.entry, row) * width + at(all.cell, row)] = 1
  }
  const sums = new MantelHaenszel()
  for (let s = 0; s < frame.cellStrata; s++)
    sums.add(at(strata.k1, s), at(strata.n1, s), at(strata.k0, s), at(strata.n0, s))
  const smaller = (sides.n1 * sides.n0) / Math.max(1, sides.n1 + sides.n0)
  const method =
    sides.n1 <= 0 || sides.n0 < 1
      ? 'none'
      : sums.weight >= 0.3 * smaller
        ? 'concurrent'
        : 'difference-in-differences'
  const isConcurrent = method === 'concurrent'
  const learned = (marks: Uint8Array): number => {
    let sum = 0
    for (let key = 0; key < marks.length; key++) if (marks[key] === 1) sum += at(usual.bad, key)
    return sum
  }
  const phi = isConcurrent ? frame.phiWithin : frame.phi
  const offset = isConcurrent
    ? FLOOR
    : FLOOR + 1 / (learned(learnedFrom.exposed) + 4) + 1 / (learned(learnedFrom.control) + 4)
  const estimate =
    method === 'none' ? 0 : isConcurrent ? (sums.logOdds()?.estimate ?? 0) : againstUsual(sides)
  const pairs = isConcurrent
    ? {
        groupWeight: strata.n1,
        groupBad: strata.k1,
        allWeight: added(strata.n1, strata.n0),
        allBad: added(strata.k1, strata.k0),
      }
    : touchedPairs
  const likelihood = Math.sqrt(2 * (estimate > 0 ? concentration(pairs, phi).gain : 0))
  const z =
    method === 'none'
      ? 0
      : estimate > 0
        ? combined(likelihood, estimate, offset)
        : -combined(Math.abs(sums.z), -estimate, offset)
  const variance = z > 0 ? (estimate / z) ** 2 : Infinity
  return {
    method,
    exposed: { requests: sides.n1, bad: sides.k1, usual: sides.e1 },
    control: { requests: sides.n0, bad: sides.k0, usual: sides.e0 },
    others: { requests: sides.nu, bad: sides.ku, usual: sides.eu },
    effect: method === 'none' ? undefined : { estimate, variance },
    z,
    zIfGuilty:
      method === 'none' || sides.n0 <= 0
        ? 0
        : combined(guiltyZ(Math.min(sides.n1, sides.e1 + frame.excess), sides.e1, sides.e0, phi), 3, offset),
    isCrossed: z > 0 && crosses(estimate, variance, PEEKING_ALPHA),
    race: concentration(
      { groupWeight, groupBad, allWeight: frame.allWeight, allBad: frame.allBad },
      frame.phiWithin,
    ),
    explained: frame.excess > 0 ? Math.min(1, Math.max(0, (sides.k1 - sides.e1) / frame.excess)) : 0,
    byMinute,
  }
}

/** Variance that no amount of traffic takes away. */
const FLOOR = 0.01

/** z of a likelihood ratio, with an uncertainty of the effect that counts of the window do not have. */
function combined(z: number, effect: number, variance: number): number {
  if (z <= 0 || effect <= 0) return 0
  return 1 / Math.sqrt(1 / (z * z) + variance / (effect * effect))
}

/** z if so many were bad among the exposed, and as many as usual among the others. */
function guiltyZ(bad: number, usualExposed: number, usualControl: number, phi: number): number {
  const all = bad + usualControl
  const share = usualExposed / Math.max(1e-12, usualExposed + usualControl)
  if (all <= 0 || bad <= all * share) return 0
  const gain =
    bad * Math.log(bad / (all * share)) +
    (usualControl > 0 ? usualControl * Math.log(usualControl / (all * (1 - share))) : 0)
  return Math.sqrt((2 * Math.max(0, gain)) / phi)
}

const added = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, index) => value + at(b, index))

/** Difference in differences of log-odds: each side now against what was usual for the same entries and cells. */
function againstUsual(s: { n1: number; k1: number; e1: number; n0: number; k0: number; e0: number }): number {
  const side = (bad: number, requests: number, usual: number): number =>
    Math.log((bad + 0.5) / (Math.max(0, requests - bad) + 0.5)) -
    Math.log((usual + 0.5) / (Math.max(0, requests - usual) + 0.5))
  return side(s.k1, s.n1, s.e1) - side(s.k0, s.n0, s.e0)
}

/** How well one value of a cell's attribute (a region, a branch …) describes where bad requests are, in the same race. */
export function cellRaces(
  frame: ContrastFrame,
): { readonly attribute: string; readonly value: string; readonly race: Concentration }[] {
  const { rows: all, cells } = frame.columns.case
  const out: { attribute: string; value: string; race: Concentration }[] = []
  for (const attribute of ['site', 'region', 'channel', 'branch'] as const) {
    const values = [...new Set(cells.map((cell) => cell[attribute]))].filter((value) => value !== '').sort()
    if (values.length < 2 || values.length > 200) continue
    const groups = new Map(
      values.map((value) => [
        value,
        { weight: new Float64Array(frame.entryStrata), bad: new Float64Array(frame.entryStrata) },
      ]),
    )
    const byCell = cells.map((cell) => groups.get(cell[attribute]))
    for (let index = 0; index < frame.rows.length; index++) {
      const row = at(frame.rows, index)
      const group = byCell[at(all.cell, row)]
      if (group === undefined) continue
      const stratum = at(frame.entryStratum, index)
      group.weight[stratum] = at(group.weight, stratum) + at(frame.weight, index)
      group.bad[stratum] = at(group.bad, stratum) + at(frame.columns.bad, row)
    }
    for (const [value, group] of groups) {
      const race = concentration(
        { groupWeight: group.weight, groupBad: group.bad, allWeight: frame.allWeight, allBad: frame.allBad },
        frame.phiWithin,
      )
      out.push({
        attribute,
        value,
        race: { ...race, gain: Math.max(0, race.gain - Math.log(values.length)) },
      })
    }
  }
  return out.sort(
    (a, b) => b.race.gain - a.race.gain || (`${a.attribute}${a.value}` < `${b.attribute}${b.value}` ? -1 : 1),
  )
}
