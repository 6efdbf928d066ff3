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

  /** At the reference that closes it, or where the last SLO of the bundle refers into what is kept. */
  function tellCircle(line: readonly SloV1[], from: number, name: string, closing: Path): void {
    const at = line.findLastIndex((one) => sources.has(one))
    const teller = line[at]
    const source = teller === undefined ? undefined : sources.get(teller)
    if (teller === undefined || source === undefined) return
    const next = line[at + 1]?.metadata.name
    const path = next === undefined ? closing : (partsOf(teller).find(({ slo }) => slo === next)?.path ?? [])
    const circle = [...line.slice(from).map((one) => one.metadata.name), name].join(' → ')
    problems.push(
      problemAt(source, 'error', 'cycle', path, `contains itself: ${circle}`, 'take one of them out'),
    )
  }

  function visit(slo: SloV1, above: readonly SloV1[]): void {
    if (done.has(slo.metadata.name)) return
    for (const { slo: name, path } of partsOf(slo)) {
      const line = [...above, slo]
      const from = line.findIndex((one) => one.metadata.name === name)
      if (from >= 0) {
        tellCircle(line, from, name, path)
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
