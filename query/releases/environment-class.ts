// Whether two tools mean the same environment: one says prod, another production, a third nothing.

const CLASSES: readonly (readonly [string, RegExp])[] = [
  // First: «gray-prod» is a gray environment.
  ['gray', /gr[ae]y|canary|white-?list|灰度|白名单/],
  ['test', /^(?:dev|test|sit|uat|qa|stag|pre|perf|sandbox|local)|non-?prod|测试|开发|预发|准生产/],
  ['production', /^(?:prod|prd|live)|production|生产/],
]

const classOf = (name: string): string | undefined =>
  CLASSES.find(([, shape]) => shape.test(name.toLowerCase()))?.[0]

/**
 * @param told  as a tool calls it; empty: it does not say
 * @param seen  as telemetry calls it; empty likewise
 * @returns false when they are known to differ; a name of neither kind, such as that of a cluster, is no reason
 */
export function isSameEnvironment(told: string, seen: string): boolean {
  if (told === '' || seen === '' || told.toLowerCase() === seen.toLowerCase()) return true
  const [a, b] = [classOf(told), classOf(seen)]
  return a === undefined || b === undefined || a === b
}
