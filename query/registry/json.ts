// JSON values compared: whether two mean the same, and where they differ. Pure.

/** Equal as JSON, whatever the order of members: the database keeps another order than was given. */
export function isSame(a: unknown, b: unknown): boolean {
  return differences(a, b, 1).length === 0
}

export type Difference = {
  /** `spec.sites[0].name` */
  readonly path: string
  /** undefined: not there */
  readonly before: unknown
  readonly after: unknown
}

/**
 * Where two values differ, in order of members.
 * @param max  no more than these are listed
 */
export function differences(before: unknown, after: unknown, max = 200): Difference[] {
  const found: Difference[] = []
  compare(before, after, '')
  return found

  function compare(a: unknown, b: unknown, path: string): void {
    if (found.length >= max || a === b) return
    if (isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])]
      const place = (key: string) =>
        Array.isArray(a) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
      for (const key of keys) compare(memberOf(a, key), memberOf(b, key), place(key))
      return
    }
    found.push({ path, before: a, after: b })
  }
}

/** JSON with sorted members: the same text for the same meaning. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      isObject(inner) && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))))
        : inner,
    ) ?? 'null'
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

// Members of the prototype are none of the value's.
const memberOf = (value: Record<string, unknown>, key: string) =>
  Object.hasOwn(value, key) ? value[key] : undefined
