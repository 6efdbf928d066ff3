// Which parameters a release changes against what served before it. Pure.

import type { Release } from './release.ts'

export type Parameters = Readonly<Record<string, string>>
export type ParameterChange = Release['parameterChanges'][number]

/**
 * Goes through releases of one service or target in one environment.
 *
 * Tools tell either all parameters or only those that they set. A list that shares a name with the one before is taken for all of
 * them, so that what is missing is gone; another one is taken for an addition.
 * @param releases  in the order in which they began to serve
 * @returns the changes of each
 */
export function parameterChanges(
  releases: readonly { readonly parameters: Parameters; readonly isTakenBack: boolean }[],
): readonly (readonly ParameterChange[])[] {
  let values: Parameters = {}
  let last: Parameters = {}
  return releases.map(({ parameters, isTakenBack }) => {
    const names = Object.keys(parameters)
    const isWhole = names.some((name) => Object.hasOwn(last, name))
    const gone = isWhole ? Object.keys(last).filter((name) => !Object.hasOwn(parameters, name)) : []
    const changes = [...names, ...gone]
      .map((name) => ({
        name,
        before: Object.hasOwn(values, name) ? values[name] : undefined,
        after: Object.hasOwn(parameters, name) ? parameters[name] : undefined,
      }))
      .filter(({ before, after }) => before !== after)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    if (!isTakenBack && names.length > 0) {
      const kept = Object.entries({ ...values, ...parameters }).filter(([name]) => !gone.includes(name))
      values = Object.fromEntries(kept)
      last = parameters
    }
    return changes
  })
}
