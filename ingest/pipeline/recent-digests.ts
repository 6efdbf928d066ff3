// Which requests came lately, by digest and by the time their sender or broker gave them: what tells a repeated request
// from a new one. In memory, bounded by age and number; the oldest go first.

export interface RecentDigests<Mark> {
  /** What was noted with this digest at most `windowMs` before `atMs`, or after it. */
  find(digest: string, atMs: number): Mark | undefined
  note(digest: string, mark: Mark, atMs: number): void
  /** Digests held, for tests of the bounds. */
  size(): number
}

/**
 * @param windowMs  how long a digest is known
 * @param countMax  digests held at most, about 200 B each
 */
export function buildRecentDigests<Mark>(windowMs: number, countMax: number): RecentDigests<Mark> {
  const seen = new Map<string, { readonly mark: Mark; readonly atMs: number }>()

  return {
    find(digest, atMs) {
      const known = seen.get(digest)
      return known === undefined || atMs - known.atMs > windowMs ? undefined : known.mark
    },
    note(digest, mark, atMs) {
      seen.delete(digest)
      seen.set(digest, { mark, atMs })
      for (const [oldest, known] of seen) {
        if (seen.size <= countMax && atMs - known.atMs <= windowMs) break
        seen.delete(oldest)
      }
    },
    size: () => seen.size,
  }
}
