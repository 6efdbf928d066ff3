// Empty members of a document.

/** A member without a value is one that is not there, as in Kubernetes and the SDK; free parts stay as they are. */
export function withoutNulls(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item))
  if (typeof value !== 'object' || value === null || key === 'connectionDetails') return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
      if (member === null) return []
      return [[name, key === 'metricSource' && name === 'spec' ? member : withoutNulls(member, name)]]
    }),
  )
}
