// Whoever says which release did it: the engine, and what it is compared with. All see the same case.

import type { FaultCase } from '../../query/blame/case.ts'
import type { Explanation } from '../../query/http/fault-schemas.ts'

export type Judgement = {
  readonly verdict: Explanation['verdict']
  readonly ranked: readonly { readonly release: string; readonly posterior: number }[]
  /** Releases that cannot be told apart from the first. */
  readonly set: readonly string[]
  /** Releases that it would take back, undefined when it suggests nothing. */
  readonly rollback: readonly string[] | undefined
  readonly explanation?: Explanation
}

export type Judge = { readonly name: string; readonly judge: (of: FaultCase) => Judgement }
