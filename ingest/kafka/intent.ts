// What the offset metadata says: the batch that is being inserted, so that whoever comes next finishes exactly
// that batch under exactly that token. Which of its values were skipped as repeats is part of it: who comes next does
// not know what was read before.

/** Offsets of a batch, both ends inclusive. */
export type Intent = {
  readonly first: bigint
  readonly last: bigint
  /** Offsets whose values repeat an earlier one and are not stored, ascending. */
  readonly skipped: readonly bigint[]
}

/** Skipped offsets that one intent may name: at 8 characters each they stay below the broker's 4,096 bytes. */
export const SKIPPED_MAX = 400

export function writeIntent({ first, last, skipped }: Intent): string {
  // Without skipped values as ever, so that an earlier release can finish it.
  if (skipped.length === 0) return `v1:${first}-${last}`
  return `v2:${first}-${last}:${skipped.map((offset) => (offset - first).toString(36)).join(',')}`
}

/** @returns the intent, or undefined when the metadata holds none that we know */
export function readIntent(metadata: string): Intent | undefined {
  const match =
    /^(?:v1:(\d{1,19})-(\d{1,19})|v2:(\d{1,19})-(\d{1,19}):([0-9a-z]{1,8}(?:,[0-9a-z]{1,8})*))$/.exec(
      metadata,
    )
  if (match === null) return undefined
  const first = BigInt(match[1] ?? match[3] ?? '')
  const last = BigInt(match[2] ?? match[4] ?? '')
  const skipped = match[5]?.split(',').map((word) => first + BigInt(Number.parseInt(word, 36))) ?? []
  return first <= last && skipped.every((offset) => offset <= last) ? { first, last, skipped } : undefined
}
