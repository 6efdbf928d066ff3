// What a verdict on one release is made of: counts of requests by minute, entry, cell and touch, never spans. Shapes only; who
// gathers them reads the store, and a simulator makes them without one.

import type { SignaturePast, TraceRows } from '../blame/case.ts'
import type { ContrastCase } from '../blame/gather-contrast.ts'
import type { Release } from '../releases/release.ts'

export type ReleaseTraffic = {
  readonly release: Release
  /** The instant of the decision; nothing after it is in here. */
  readonly nowMs: number
  /** Complete minutes only. */
  readonly contrast: ContrastCase
  /** The same minutes one day earlier, by the same indexes; undefined when nothing is kept of it. */
  readonly dayBefore: TraceRows | undefined
  /** What was known of its new signatures before; empty where nothing is. */
  readonly signaturePasts: readonly SignaturePast[]
}

/** Whether traces show the version: else exposed is whoever is in scope and touches the service once it was told. */
export const isVisible = ({ release }: ReleaseTraffic): boolean => release.readyFrom === 'traffic'
