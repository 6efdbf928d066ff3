// Questions put to the API over HTTP, with the time until the whole answer was read. An answer that is not what it must
// be fails the bench: a fast wrong answer is no figure.

import { BenchFailure } from './bench-definition.ts'

const BUSY = 503

export type Question = {
  readonly kind: string
  readonly path: string
  /** @returns what is wrong with the answer, undefined when nothing is */
  readonly check: (answer: unknown) => string | undefined
}

export interface Latencies {
  add(kind: string, ms: number): void
  of(kind: string): readonly number[]
  all(): readonly number[]
}

export function buildLatencies(): Latencies {
  const byKind = new Map<string, number[]>()
  return {
    add(kind, ms) {
      const known = byKind.get(kind)
      if (known === undefined) byKind.set(kind, [ms])
      else known.push(ms)
    },
    of: (kind) => byKind.get(kind) ?? [],
    all: () => [...byKind.values()].flat(),
  }
}

/**
 * @param ratio  0.95: the smallest value that at least 95 % of the values do not exceed
 * @returns NaN without values
 */
export function percentile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * ratio) - 1)] ?? Number.NaN
}

export type Asked = {
  /** From the request until the body was read. */
  readonly ms: number
  /** Surety answered 503: too many questions wait, or the time in the engine was up. */
  readonly isRefused: boolean
}

/** @throws BenchFailure for any other wrong answer */
export async function ask(url: string, { kind, path, check }: Question): Promise<Asked> {
  const startedAt = performance.now()
  const reply = await fetch(`${url}${path}`)
  const body = await reply.text()
  const ms = performance.now() - startedAt
  if (reply.status === BUSY) return { ms, isRefused: true }
  const problem = reply.ok ? check(JSON.parse(body)) : `status ${reply.status}: ${body.slice(0, 300)}`
  if (problem !== undefined) throw new BenchFailure(`${kind}: GET ${path}: ${problem}`)
  return { ms, isRefused: false }
}

/** The answer lists at least one item. */
export const hasItems = (answer: unknown): string | undefined =>
  (answer as { items: readonly unknown[] }).items.length > 0 ? undefined : 'no item was found'

/** The answer lists none, having looked at everything. */
export const hasNone = (answer: unknown): string | undefined =>
  (answer as { items: readonly unknown[] }).items.length === 0 ? undefined : 'something was found'
