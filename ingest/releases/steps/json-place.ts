// A place in JSON, written as a path: `build.parameters.SERVICE`, `commits[0].id`, `labels["app.kubernetes.io/name"]`.

import { isObject } from '../../pipeline/json-text.ts'

export type JsonPlace = readonly (string | number)[]

const STEP = /^(?:\.?([^.[\]"]+)|\[(\d{1,6})\]|\["((?:[^"\\]|\\.)*)"\])/

/** @param path with or without the `$.` that JSON paths begin with @returns undefined when it is no path */
export function parsePlace(path: string): JsonPlace | undefined {
  const place: (string | number)[] = []
  let rest = path.startsWith('$') ? path.slice(1) : path
  if (rest.startsWith('..') || rest === '.') return undefined
  while (rest !== '') {
    const match = STEP.exec(rest)
    if (match === null || (place.length > 0 && match[1] !== undefined && !rest.startsWith('.')))
      return undefined
    const [whole, plain, index, quoted] = match
    if (index !== undefined) place.push(Number(index))
    else place.push(plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'))
    rest = rest.slice(whole.length)
  }
  return place.length === 0 ? undefined : place
}

/** What stands there; own members and elements only. */
export function valueAt(value: unknown, place: JsonPlace): unknown {
  let current = value
  for (const key of place) {
    if (typeof key === 'number') {
      if (!Array.isArray(current)) return undefined
      current = current[key] as unknown
    } else {
      if (!isObject(current) || !Object.hasOwn(current, key)) return undefined
      current = current[key]
    }
  }
  return current
}
