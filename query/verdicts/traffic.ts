// What a verdict on one release is made of: counts of requests by minute, entry, cell and touch, never spans. Shapes only; who
// gathers them reads the store, and a simulator makes them without one.

import type { Cell, Entry, SignaturePast, SignatureRow, Touch, TraceRows } from '../blame/case.ts'
import type { Release } from '../releases/release.ts'
import type { LogHistogram } from '../statistics/log-histogram.ts'

/** What one side used in one minute, of one kind: CPU seconds or bytes of memory. */
export type ResourceRow = {
  readonly minute: number
  readonly kind: 'cpu' | 'memory'
  readonly isNew: boolean
  readonly amount: number
  readonly requests: number
}

export type ReleaseTraffic = {
  readonly release: Release
  /** The instant of the decision; nothing after it is in here. */
  readonly nowMs: number
  /** First minute that rows may have, and the one after the last complete one. */
  readonly fromMinute: number
  readonly toMinute: number
  readonly entries: readonly Entry[]
  readonly cells: readonly Cell[]
  /** How a trace met the release's service, by `TraceRows.touch`. */
  readonly touches: readonly Touch[]
  readonly rows: TraceRows
  /** The same minutes one day earlier, same indexes; undefined when nothing is kept of it. */
  readonly dayBefore: TraceRows | undefined
  /** Indexes of cells inside its scope, as told and as traffic shows; undefined: everybody. */
  readonly scopeCells: readonly number[] | undefined
  /** Whether traces show the version; else exposed is whoever is in scope and touches the service after it was told. */
  readonly isVisible: boolean
  /** Latency of the service's own requests since the release, ms; undefined without any. */
  readonly latency: { readonly exposed: LogHistogram; readonly control: LogHistogram } | undefined
  readonly signatures: readonly SignatureRow[]
  readonly signaturePasts: readonly SignaturePast[]
  /** Requests that the service served by minute on the new and on other versions: what signatures are weighed by. */
  readonly served: readonly { readonly minute: number; readonly exposed: number; readonly control: number }[]
  /** Empty when no metrics tell. */
  readonly resources: readonly ResourceRow[]
}
