// What a bench is: one question of speed or size, answered by running it. bench.ts lists and runs them.

import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

export type Bench = {
  readonly name: string
  /** One line for the list. */
  readonly summary: string
  readonly help: string
  readonly options: Readonly<Record<string, { type: 'string' | 'boolean' }>>
  /**
   * Checks the options, then measures. Whatever it opens it hands to the lifecycle.
   * @throws UsageError for options that do not fit, BenchFailure when the result would be wrong
   */
  readonly run: (values: OptionValues, context: BenchContext) => Promise<BenchReport>
}

export type BenchContext = {
  /** Closed at the end, also after a failure or a signal. */
  readonly lifecycle: Lifecycle
  /** Progress, to standard error. */
  readonly say: (text: string) => void
}

export type BenchReport = {
  /** Versions of what was measured, beside Node's and the commit. */
  readonly versions: Readonly<Record<string, string>>
  /** First row: headings. */
  readonly table: readonly (readonly string[])[]
  readonly notes: readonly string[]
  /** The last line: at least value, unit; `ratio` is times better than the peer. */
  readonly result: { readonly value: number; readonly unit: string } & Readonly<Record<string, unknown>>
}

/** The command line does not fit the bench. */
export class UsageError extends Error {}

/** The bench ran and what it saw must not be believed, or it could not run. */
export class BenchFailure extends Error {}

/** @throws UsageError unless the option is a whole number within the bounds */
export function wholeNumber(
  values: OptionValues,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = values[name]
  if (text === undefined) return fallback
  const number = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`--${name} ${String(text)}: must be a whole number from ${min} to ${max}`)
}
