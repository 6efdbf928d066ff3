// Documents to SLOs that can be executed: everything of a bundle or nothing. The front of this folder for whoever applies or
// validates files.

import { problemAt } from './documents.ts'
import { readAnnotations } from './annotations.ts'
import { checkCycles } from './cycles.ts'
import { definitionOf, type DefinitionContext } from './definition.ts'
import { indicatorOf } from './indicator.ts'
import type { OpenSloProblem, Tell } from './problem.ts'
import { readOpenSlo, type ReadObjects, type ReadOptions } from './read.ts'
import { nothingKept, resolverOf } from './references.ts'
import type { ObjectV1 } from './schema-v1.ts'
import type { SloDefinition } from '../slo/model.ts'

export type SloBundle = {
  /** Empty when there is an error. */
  readonly objects: readonly ObjectV1[]
  /** By name of the SLO; without those that are good OpenSLO and not measured. */
  readonly definitions: ReadonlyMap<string, SloDefinition>
  /** By file and line. */
  readonly problems: readonly OpenSloProblem[]
}

export type BundleOptions = Omit<ReadOptions, 'isWhole'> & Pick<DefinitionContext, 'isProfile'>

/** @param files  texts with the name to tell in problems */
export function readSlos(
  files: readonly { readonly file: string; readonly text: string }[],
  options: BundleOptions = {},
): SloBundle {
  return defined(readOpenSlo(files, options), options)
}

/** The same for what was read already. */
export function defined(read: ReadObjects, { kept = nothingKept, isProfile }: BundleOptions): SloBundle {
  const problems = [...read.problems]
  const objects = read.found.map(({ object }) => object)
  const resolve = resolverOf(objects, kept)
  const definitions = new Map<string, SloDefinition>()
  for (const { object, source } of read.found) {
    const tell: Tell = (severity, code, path, message, remedy) =>
      void problems.push(problemAt(source, severity, code, path, message, remedy))
    if (object.kind === 'SLO') {
      const definition = definitionOf(
        object,
        { resolve, ...(isProfile === undefined ? {} : { isProfile }) },
        tell,
      )
      if (definition !== undefined) definitions.set(definition.name, definition)
      continue
    }
    readAnnotations(object.metadata.annotations, tell, false)
    if (object.kind === 'SLI')
      indicatorOf(object.spec, undefined, (name) => resolve('DataSource', name)?.spec.type, ['spec'], tell)
  }
  problems.push(...checkCycles(read.found, resolve))
  const isRefused = problems.some(({ severity }) => severity === 'error')
  return {
    objects: isRefused ? [] : objects,
    definitions: isRefused ? new Map() : definitions,
    problems: inOrder(problems, read),
  }
}

/** Definitions of objects that were read before, such as all that are kept; without those that cannot be executed. */
export function definitionsOf(
  objects: readonly ObjectV1[],
  { kept = nothingKept }: Pick<BundleOptions, 'kept'> = {},
): ReadonlyMap<string, SloDefinition> {
  const resolve = resolverOf(objects, kept)
  return new Map(
    objects.flatMap((object) => {
      const definition =
        object.kind === 'SLO' ? definitionOf(object, { resolve }, () => undefined) : undefined
      return definition === undefined ? [] : [[definition.name, definition]]
    }),
  )
}

/** By file and line, each once: what several objectives share is wrong once. */
function inOrder(problems: readonly OpenSloProblem[], { found }: ReadObjects): OpenSloProblem[] {
  const files = new Map<string, number>()
  for (const { file } of [...found.map(({ source }) => source), ...problems])
    if (!files.has(file)) files.set(file, files.size)
  const once = new Map(
    problems.map((one) => [JSON.stringify([one.file, one.line, one.path, one.code, one.message]), one]),
  )
  return [...once.values()].toSorted(
    (a, b) => (files.get(a.file) ?? 0) - (files.get(b.file) ?? 0) || a.line - b.line,
  )
}
