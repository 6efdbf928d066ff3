// Composites that contain one another would never come to a figure.

import { problemAt } from './documents.ts'
import type { OpenSloProblem, Path } from './problem.ts'
import { referencesOf, type Found, type Resolver } from './references.ts'
import type { SloV1 } from './schema-v1.ts'

type Part = { readonly slo: string; readonly path: Path }

const partsOf = (slo: SloV1): Part[] =>
  referencesOf(slo).flatMap(({ kind, name, path }) => (kind === 'SLO' ? [{ slo: name, path }] : []))

/** Each circle once, told at the reference of the SLO that closes it first. */
export function checkCycles(found: readonly Found[], resolve: Resolver): OpenSloProblem[] {
  const problems: OpenSloProblem[] = []
  const done = new Set<string>()
  const sources = new Map(found.map(({ object, source }) => [object, source]))

  function visit(slo: SloV1, above: readonly SloV1[]): void {
    if (done.has(slo.metadata.name)) return
    for (const { slo: name, path } of partsOf(slo)) {
      const line = [...above, slo]
      const from = line.findIndex((one) => one.metadata.name === name)
      const source = sources.get(slo)
      if (from >= 0) {
        const circle = [...line.slice(from).map((one) => one.metadata.name), name].join(' → ')
        const teller = source === undefined ? line.findLast((one) => sources.has(one)) : slo
        const at = teller === undefined ? undefined : sources.get(teller)
        if (at !== undefined)
          problems.push(
            problemAt(
              at,
              'error',
              'cycle',
              teller === slo ? path : [],
              `contains itself: ${circle}`,
              'take one of them out',
            ),
          )
        continue
      }
      const part = resolve('SLO', name)
      if (part !== undefined) visit(part, line)
    }
    done.add(slo.metadata.name)
  }

  for (const { object } of found) if (object.kind === 'SLO') visit(object, [])
  return problems
}
