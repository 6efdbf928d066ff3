// Finds the messages that the engine refuses, by halves: the rest of the batch goes in. A batch of n with one
// bad message costs about log2(n) more inserts.

/** What one attempt came to. `refused`: this data, never. Everything else is thrown. */
export type Attempt = { readonly kind: 'stored' } | { readonly kind: 'refused'; readonly detail: string }

export type Refused<Item> = { readonly item: Item; readonly detail: string }

/**
 * @param items    in order; halves keep the order, so a half is named by its first and last item
 * @param attempt  stores all of the given items or none
 * @returns the items that were refused alone
 */
export async function bisect<Item>(
  items: readonly Item[],
  attempt: (part: readonly Item[]) => Promise<Attempt>,
): Promise<Refused<Item>[]> {
  if (items.length === 0) return []
  const outcome = await attempt(items)
  if (outcome.kind === 'stored') return []
  const [only] = items
  if (items.length === 1 && only !== undefined) return [{ item: only, detail: outcome.detail }]
  const middle = Math.ceil(items.length / 2)
  const left = await bisect(items.slice(0, middle), attempt)
  const right = await bisect(items.slice(middle), attempt)
  return [...left, ...right]
}
