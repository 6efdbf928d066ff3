// Ranges of whole numbers (slices or units), sorted and apart: what is excluded of a time line. Pure.

/** [from, to) */
export type SliceRange = { readonly from: number; readonly to: number }

/** Sorted, without overlaps or neighbours that touch; empty ones left out. */
export function mergeRanges(ranges: readonly SliceRange[]): readonly SliceRange[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of ranges
    .filter((range) => range.from < range.to)
    .toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

/** Whether a number lies in one of the merged ranges. */
export function isWithin(ranges: readonly SliceRange[], number: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.to ?? 0) <= number) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && range.from <= number
}

/** How many numbers of [from, to) lie in the merged ranges. */
export function countWithin(ranges: readonly SliceRange[], from: number, to: number): number {
  let count = 0
  for (const range of ranges) count += Math.max(0, Math.min(range.to, to) - Math.max(range.from, from))
  return count
}

/** Where two merged lists differ within [from, to): what only the second one has is `isExcluded`. */
export function changedRanges(
  before: readonly SliceRange[],
  after: readonly SliceRange[],
  from: number,
  to: number,
): readonly (SliceRange & { readonly isExcluded: boolean })[] {
  const edges = [...new Set([from, to, ...[...before, ...after].flatMap((range) => [range.from, range.to])])]
    .filter((edge) => edge >= from && edge <= to)
    .sort((a, b) => a - b)
  const changed: (SliceRange & { readonly isExcluded: boolean })[] = []
  for (const [index, edge] of edges.entries()) {
    const next = edges[index + 1]
    if (next === undefined) break
    const isExcluded = isWithin(after, edge)
    if (isExcluded !== isWithin(before, edge)) changed.push({ from: edge, to: next, isExcluded })
  }
  return changed
}
