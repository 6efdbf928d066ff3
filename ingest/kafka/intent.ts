// What the offset metadata says: the batch that is being inserted, so that whoever comes next finishes exactly
// that batch under exactly that token.

/** Offsets of a batch, both ends inclusive. */
export type Intent = { readonly first: bigint; readonly last: bigint }

export function writeIntent({ first, last }: Intent): string {
  return `v1:${first}-${last}`
}

/** @returns the intent, or undefined when the metadata holds none that we know */
export function readIntent(metadata: string): Intent | undefined {
  const match = /^v1:(\d{1,19})-(\d{1,19})$/.exec(metadata)
  if (match === null) return undefined
  const [first, last] = [BigInt(match[1] ?? ''), BigInt(match[2] ?? '')]
  return first <= last ? { first, last } : undefined
}
