// Reads OpenSLO documents: all of a bundle or none of it. What is wrong is told all at once, each with its place and a remedy.

import type { z } from 'zod'
import { problemAt, readDocuments, type Source } from './documents.ts'
import type { OpenSloProblem, Path } from './problem.ts'
import { checkReferences } from './references.ts'
import { checkSli, checkSlo, type Tell } from './rules-v1.ts'
import { KINDS_V1, OBJECTS_V1, VERSION_V1, type KindV1, type ObjectV1 } from './schema-v1.ts'

export type ReadOptions = {
  /** Refuses what the specification forbids although its own examples do it; else that is a warning. Default false. */
  readonly isStrict?: boolean
  /** Whether an object that the bundle does not hold is kept already. By default none is. */
  readonly isKept?: (kind: KindV1, name: string) => boolean
  /** Whether this is all that belongs together: then names are there once and references lead somewhere. Default true. */
  readonly isWhole?: boolean
}

export type ReadBundle = {
  /** Empty when there is an error. */
  readonly objects: readonly ObjectV1[]
  readonly problems: readonly OpenSloProblem[]
  /** Where each object stands. */
  readonly sources: ReadonlyMap<ObjectV1, Source>
}

/** @param files  texts with the name to tell in problems */
export function readOpenSlo(
  files: readonly { readonly file: string; readonly text: string }[],
  { isStrict = false, isKept = () => false, isWhole = true }: ReadOptions = {},
): ReadBundle {
  const problems: OpenSloProblem[] = []
  const found: { readonly object: ObjectV1; readonly source: Source }[] = []
  for (const { file, text } of files) {
    const read = readDocuments(text, file)
    problems.push(...read.problems)
    for (const source of read.sources) {
      const object = readObject(source, isStrict, problems)
      if (object !== undefined) found.push({ object, source })
    }
  }
  if (isWhole) problems.push(...duplicates(found), ...checkReferences(found, isKept))
  const isRefused = problems.some(({ severity }) => severity === 'error')
  const sources = new Map(found.map(({ object, source }) => [object, source]))
  return { objects: isRefused ? [] : found.map(({ object }) => object), problems, sources }
}

function readObject(source: Source, isStrict: boolean, problems: OpenSloProblem[]): ObjectV1 | undefined {
  const tell: Tell = (severity, code, path, message) =>
    void problems.push(problemAt(source, severity, code, path, message))
  const { value } = source
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    tell('error', 'no-object', [], 'is no object with apiVersion, kind, metadata and spec')
    return undefined
  }
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (apiVersion !== VERSION_V1) {
    tell('error', 'version', ['apiVersion'], `is «${String(apiVersion)}»; «${VERSION_V1}» is read`)
    return undefined
  }
  if (!isKind(kind)) {
    tell('error', 'kind', ['kind'], `is «${String(kind)}»; there are ${KINDS_V1.join(', ')}`)
    return undefined
  }
  const parsed = OBJECTS_V1[kind].safeParse(withoutNulls(value))
  if (!parsed.success) {
    for (const issue of flat(parsed.error.issues)) tell('error', issue.code, issue.path, issue.message)
    return undefined
  }
  const object: ObjectV1 = parsed.data
  const before = problems.length
  if (object.kind === 'SLI') checkSli(object.spec, ['spec'], tell)
  if (object.kind === 'SLO') checkSlo(object.spec, isStrict, tell)
  return problems.slice(before).some(({ severity }) => severity === 'error') ? undefined : object
}

/** A member without a value is one that is not there, as in Kubernetes and the SDK. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
      member === null ? [] : [[key, withoutNulls(member)]],
    ),
  )
}

const isKind = (kind: unknown): kind is KindV1 => typeof kind === 'string' && Object.hasOwn(OBJECTS_V1, kind)

type Told = { readonly code: string; readonly path: Path; readonly message: string }

/** An unknown member is told at its own place; of a choice, what is wrong with the form that fits best. */
function flat(issues: readonly z.core.$ZodIssue[], prefix: Path = []): Told[] {
  return issues.flatMap((issue): Told[] => {
    const path = [...prefix, ...(issue.path as Path)]
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        code: 'unknown-field',
        path: [...path, key],
        message: `unknown field «${key}»; look at its spelling and at the level it stands on`,
      }))
    if (issue.code === 'invalid_union') {
      const best = issue.errors.toSorted((a, b) => a.length - b.length)[0]
      if (best !== undefined && best.length > 0) return flat(best, path)
    }
    if (issue.code === 'invalid_type' && 'input' in issue && issue.input === undefined)
      return [{ code: 'required', path, message: 'is required' }]
    return [{ code: 'invalid', path, message: sentence(issue) }]
  })
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return /undefined/.test(issue.message) ? 'is required' : `must be ${issue.expected}`
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  return issue.message
}

function duplicates(
  found: readonly { readonly object: ObjectV1; readonly source: Source }[],
): OpenSloProblem[] {
  const seen = new Set<string>()
  return found.flatMap(({ object, source }) => {
    const id = `${object.kind}/${object.metadata.name}`
    if (!seen.has(id)) {
      seen.add(id)
      return []
    }
    const message = `there is another ${object.kind} «${object.metadata.name}» before it`
    return [problemAt(source, 'error', 'duplicate', ['metadata', 'name'], message)]
  })
}
