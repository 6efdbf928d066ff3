// Traffic of one release by seed, as a verdict sees it: what tests of verdicts and of windows are made of.

import type { Cell, Entry, SignatureRow, Touch, TraceRows } from '../../query/blame/case.ts'
import type { ContrastCase, LatencyRow } from '../../query/blame/gather-contrast.ts'
import type { Release, ReleaseStage } from '../../query/releases/release.ts'
import type { ReleaseTraffic } from '../../query/verdicts/traffic.ts'
import { UNTOLD } from './releases.ts'

export const READY_MINUTE = 29_000_000
export const READY_MS = READY_MINUTE * 60_000

export type Rates = Partial<Record<'system' | 'business' | 'shed' | 'reject' | 'slow', number>>

export type Play = {
  readonly seed?: number
  /** Minutes since it was ready, and before. */
  readonly minutes: number
  readonly before?: number
  /** Requests a minute, entry and cell. */
  readonly perMinute?: number
  readonly entries?: number
  readonly cells?: number
  /** Share on the new version; with `scope` in its cells alone. */
  readonly weight?: number
  /** Indexes of cells. */
  readonly scope?: readonly number[]
  /** Of everybody, and by cell. */
  readonly base?: Rates
  readonly ofCell?: (cell: number) => Rates
  /** Added on the new version, by minute since it was ready. */
  readonly added?: Rates | ((minute: number) => Rates)
  /** Added on everybody by minute since the release was ready, negative ones before. */
  readonly meanwhile?: (minute: number, cell: number) => Rates
  /** Entries that never touch the service. */
  readonly untouched?: number
  readonly signatures?: readonly SignatureRow[]
  readonly latency?: readonly LatencyRow[]
  readonly release?: Partial<Release>
}

/** Mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function binomial(next: () => number, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0
  // Gaps between hits: as many draws as there are hits.
  const log = Math.log1p(-Math.min(p, 1 - 1e-12))
  let hits = 0
  for (let at = Math.floor(Math.log(1 - next()) / log); at < n; hits++)
    at += 1 + Math.floor(Math.log(1 - next()) / log)
  return hits
}

export function makeRelease(more: Partial<Release> = {}): Release {
  const scope = { selectors: [], weightPercent: undefined }
  const started: ReleaseStage = { kind: 'started', atMs: READY_MS - 60_000, scope, source: 's', eventId: '1' }
  return {
    id: 'r-1',
    changeType: 'code',
    service: 'transfer',
    target: '',
    toldService: '',
    system: 'core-payment',
    environment: 'prod',
    versionFrom: '1.0',
    versionTo: '1.1',
    state: 'in_progress',
    isImplicit: false,
    startedAtMs: READY_MS - 60_000,
    receivedAtMs: READY_MS - 60_000,
    readyAtMs: READY_MS,
    readyFrom: 'traffic',
    endedAtMs: undefined,
    scope,
    stages: [started],
    ...UNTOLD,
    ...more,
  }
}

export function play(given: Play): ReleaseTraffic {
  const {
    minutes,
    before = 60,
    perMinute = 60,
    entries = 2,
    cells = 4,
    weight = 0.2,
    scope,
    untouched = 0,
  } = given
  const next = random(given.seed ?? 1)
  const columns: Record<Exclude<keyof TraceRows, 'length'>, number[]> = {
    minute: [],
    entry: [],
    cell: [],
    touch: [],
    requests: [],
    systemErrors: [],
    businessErrors: [],
    shed: [],
    rejects: [],
    slow: [],
  }
  const inScope = scope === undefined ? undefined : new Set(scope)
  const put = (minute: number, entry: number, cell: number, touch: Touch, requests: number) => {
    if (requests === 0) return
    const since = minute - READY_MINUTE
    const added = typeof given.added === 'function' ? given.added(since) : (given.added ?? {})
    const parts = [
      given.base ?? { system: 0.002 },
      given.ofCell?.(cell) ?? {},
      given.meanwhile?.(since, cell) ?? {},
      touch === 2 ? added : {},
    ]
    const hits = (key: keyof Rates) =>
      binomial(
        next,
        requests,
        parts.reduce((sum, part) => sum + (part[key] ?? 0), 0),
      )
    columns.minute.push(minute)
    columns.entry.push(entry)
    columns.cell.push(cell)
    columns.touch.push(touch)
    columns.requests.push(requests)
    columns.systemErrors.push(hits('system'))
    columns.businessErrors.push(hits('business'))
    columns.shed.push(hits('shed'))
    columns.rejects.push(hits('reject'))
    columns.slow.push(hits('slow'))
  }
  for (let minute = READY_MINUTE - before; minute < READY_MINUTE + minutes; minute++)
    for (let entry = 0; entry < entries; entry++)
      for (let cell = 0; cell < cells; cell++) {
        const isExposed = minute >= READY_MINUTE && (inScope === undefined || inScope.has(cell))
        const onNew = isExposed ? binomial(next, perMinute, weight) : 0
        if (entry < entries - untouched) {
          put(minute, entry, cell, 2, onNew)
          put(minute, entry, cell, 1, perMinute - onNew)
        } else put(minute, entry, cell, 0, perMinute)
      }
  const rows: TraceRows = {
    length: columns.minute.length,
    minute: Int32Array.from(columns.minute),
    entry: Int32Array.from(columns.entry),
    cell: Int32Array.from(columns.cell),
    touch: Int32Array.from(columns.touch),
    requests: Float64Array.from(columns.requests),
    systemErrors: Float64Array.from(columns.systemErrors),
    businessErrors: Float64Array.from(columns.businessErrors),
    shed: Float64Array.from(columns.shed),
    rejects: Float64Array.from(columns.rejects),
    slow: Float64Array.from(columns.slow),
  }
  const selectors =
    scope === undefined
      ? []
      : [{ attribute: 'region', match: 'exact' as const, values: scope.map((cell) => `r${cell}`) }]
  const release = makeRelease({ scope: { selectors, weightPercent: weight * 100 }, ...given.release })
  const contrast: ContrastCase = {
    release: release.id,
    fromMinute: READY_MINUTE - before,
    toMinute: READY_MINUTE + minutes,
    entries: Array.from({ length: entries }, (_, entry): Entry => ({
      service: 'gateway',
      operation: `op-${entry}`,
      txnCode: '',
    })),
    slowMs: Array.from({ length: entries }, () => 100),
    cells: Array.from({ length: cells }, (_, cell): Cell => ({
      channel: 'mobile',
      site: '',
      region: `r${cell}`,
      branch: '',
      teller: '',
    })),
    touches: [[0], [1], [2]],
    scopeCells: scope,
    rows,
    latency: given.latency ?? [],
    newSignatures: given.signatures ?? [],
    served: Array.from({ length: minutes }, (_, since) => ({ minute: READY_MINUTE + since })).flatMap(
      ({ minute }) => [
        { minute, version: release.versionTo, requests: perMinute * weight, bad: 0 },
        { minute, version: release.versionFrom, requests: perMinute * (1 - weight), bad: 0 },
      ],
    ),
    called: [],
    resources: [],
    leftOut: [],
  }
  return {
    release,
    nowMs: (READY_MINUTE + minutes) * 60_000,
    contrast,
    dayBefore: undefined,
    signaturePasts: [],
  }
}
