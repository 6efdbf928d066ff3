// Cases made by hand for tests: a small bank with two entries, versions, regions and a fault, as counts without noise.

import type { Release } from '../../query/releases/release.ts'
import {
  TOUCHED_NEW,
  TOUCHED_OLD,
  UNTOUCHED,
  type Candidate,
  type Cell,
  type Entry,
  type FaultCase,
  type Touch,
  type TraceRows,
} from '../../query/blame/case.ts'
import { UNTOLD } from './releases.ts'

/** Minute of the onset of every made case, and the minutes before and after it. */
export const ONSET = 29_000_000
export const BEFORE = 60
export const AFTER = 8
const MINUTE_MS = 60_000

export const CELLS: readonly Cell[] = ['north', 'south'].flatMap((region) =>
  ['01', '02'].map((branch) => ({
    channel: 'mobile',
    site: '',
    region,
    branch: `${region}-${branch}`,
    teller: '',
  })),
)
export const ENTRIES: readonly Entry[] = [
  { service: 'gateway', operation: 'POST /transfers', txnCode: 'transfer' },
  { service: 'gateway', operation: 'GET /balance', txnCode: 'balance' },
]

export type MadeRelease = {
  readonly id: string
  readonly service: string
  /** Minutes before the onset at which it began to serve. */
  readonly readyBefore?: number
  /** Share of each cell's requests that meet it, from then on; 1 for a full rollout. */
  readonly share?: number
  /** Regions in scope; all when absent. */
  readonly regions?: readonly string[]
  /** Entries that call its service; all when absent. */
  readonly entries?: readonly number[]
  readonly release?: Partial<Release>
  readonly isVisible?: boolean
  /** ms by which tools told it later than it was. */
  readonly toldLateMs?: number
}

export type MadeRow = {
  readonly minute: number
  readonly entry: number
  readonly cell: number
  readonly touch: readonly Touch[]
  readonly requests: number
}

/** Ratio of bad requests, of one group of rows. */
export type BadRatio = (row: MadeRow) => number

export function madeRelease(made: MadeRelease): Release {
  const readyAtMs = (ONSET - (made.readyBefore ?? 5)) * MINUTE_MS
  return {
    id: made.id,
    changeType: 'code',
    service: made.service,
    target: '',
    toldService: '',
    system: '',
    environment: 'production',
    versionFrom: '2.13.4',
    versionTo: '2.14.0',
    state: 'serving',
    isImplicit: false,
    startedAtMs: readyAtMs + (made.toldLateMs ?? 0),
    receivedAtMs: readyAtMs + (made.toldLateMs ?? 0),
    readyAtMs,
    readyFrom: 'traffic',
    endedAtMs: undefined,
    scope: {
      selectors:
        made.regions === undefined ? [] : [{ attribute: 'region', match: 'exact', values: made.regions }],
      weightPercent: made.share === undefined || made.share === 1 ? undefined : made.share * 100,
    },
    stages: [],
    ...UNTOLD,
    ...made.release,
  }
}

/**
 * @param releases  candidates, independent of each other: a request meets each by its share
 * @param bad       ratio of bad ones; counts are rounded so that the same case always comes out
 */
export function madeCase(
  releases: readonly MadeRelease[],
  bad: BadRatio,
  options: {
    readonly perMinute?: number
    readonly measure?: FaultCase['fault']['measure']
    readonly over?: Partial<FaultCase>
    readonly requests?: (minute: number) => number
  } = {},
): FaultCase {
  const perMinute = options.perMinute ?? 120
  const touches: Touch[][] = []
  const numbers = new Map<string, number>()
  const rows: (MadeRow & { touchNumber: number; bad: number })[] = []
  const rest = new Map<string, number>()
  for (let minute = ONSET - BEFORE; minute < ONSET + AFTER; minute++)
    for (let entry = 0; entry < ENTRIES.length; entry++)
      for (let cell = 0; cell < CELLS.length; cell++)
        for (const { touch, share } of mixes(releases, minute, entry, cell)) {
          const requests = Math.round((options.requests?.(minute) ?? perMinute) * share)
          if (requests === 0) continue
          const key = touch.join('')
          let number = numbers.get(key)
          if (number === undefined) {
            numbers.set(key, (number = touches.length))
            touches.push([...touch])
          }
          const row = { minute, entry, cell, touch, requests }
          // Fractions add up over minutes, so that small ratios give whole requests now and then.
          const slot = `${entry} ${cell} ${key}`
          const sum = (rest.get(slot) ?? 0.5) + requests * bad(row)
          rest.set(slot, sum - Math.floor(sum))
          rows.push({ ...row, touchNumber: number, bad: Math.floor(sum) })
        }
  const isSlow = options.measure === 'latency'
  const nowMs = (ONSET + AFTER) * MINUTE_MS
  return {
    fault: {
      id: 'fault-1',
      origin: 'detector',
      name: '',
      measure: options.measure ?? 'errors',
      place: { service: '', operation: '', txnCode: '', channel: '', site: '', region: '', branch: '' },
      alarmAtMs: (ONSET + 3) * MINUTE_MS,
      endedAtMs: undefined,
    },
    nowMs,
    fromMinute: ONSET - BEFORE,
    toMinute: ONSET + AFTER,
    clockSlackMs: MINUTE_MS,
    sampledRatio: 1,
    entries: ENTRIES,
    slowMs: ENTRIES.map(() => 500),
    cells: CELLS,
    candidates: releases.map((made): Candidate => ({
      release: madeRelease(made),
      isVisible: made.isVisible ?? true,
      scopeCells: made.regions === undefined ? undefined : cellsOf(made.regions),
      exposure: [],
      isBeingRolledBack: false,
    })),
    touches,
    rows: columnsOf(rows, isSlow),
    dayBefore: undefined,
    failures: [],
    places: [],
    peers: [],
    callers: [],
    signatures: [],
    signaturePasts: [],
    events: [],
    calls: [
      ['gateway', 'payment'],
      ['payment', 'ledger'],
      ['gateway', 'limit'],
    ],
    systems: {},
    ...options.over,
  }
}

function columnsOf(
  rows: readonly (MadeRow & { touchNumber: number; bad: number })[],
  isSlow: boolean,
): TraceRows {
  const ints = (pick: (row: (typeof rows)[number]) => number): Int32Array => Int32Array.from(rows, pick)
  const none = new Float64Array(rows.length)
  const bad = Float64Array.from(rows, (row) => row.bad)
  return {
    length: rows.length,
    minute: ints((row) => row.minute),
    entry: ints((row) => row.entry),
    cell: ints((row) => row.cell),
    touch: ints((row) => row.touchNumber),
    requests: Float64Array.from(rows, (row) => row.requests),
    systemErrors: isSlow ? none : bad,
    businessErrors: none,
    shed: none,
    rejects: none,
    slow: isSlow ? bad : none,
  }
}

const cellsOf = (regions: readonly string[]): number[] =>
  CELLS.flatMap(({ region }, cell) => (regions.includes(region) ? [cell] : []))

type Mix = { readonly touch: Touch[]; readonly share: number }

/** How requests of one minute, entry and cell divide over what they meet. */
function mixes(releases: readonly MadeRelease[], minute: number, entry: number, cell: number): Mix[] {
  let parts: Mix[] = [{ touch: [], share: 1 }]
  for (const made of releases) {
    const isTouched = made.entries?.includes(entry) ?? true
    const isServing =
      minute >= ONSET - (made.readyBefore ?? 5) &&
      (made.regions === undefined || cellsOf(made.regions).includes(cell))
    const share = isServing ? (made.share ?? 1) : 0
    const next: Mix[] = []
    for (const { touch, share: part } of parts) {
      const meets: readonly (readonly [Touch, number])[] = isTouched
        ? [
            [TOUCHED_NEW, part * share],
            [TOUCHED_OLD, part * (1 - share)],
          ]
        : [[UNTOUCHED, part]]
      for (const [how, much] of meets) if (much > 0) next.push({ touch: [...touch, how], share: much })
    }
    parts = next
  }
  return parts
}
