// Reads OpenSLO documents: all of a bundle or none of it. What is wrong is told all at once, each with its place and a remedy.

import { problemAt, readDocuments, type Source } from './documents.ts'
import { remedyOf, toldOf } from './issues.ts'
import { shown, type OpenSloProblem, type Path, type Tell } from './problem.ts'
import { checkReferences, nothingKept, resolverOf, type Found, type Resolver } from './references.ts'
import { checkObject } from './rules-v1.ts'
import { isKindV1, KINDS_V1, OBJECTS_V1, VERSION_V1, type ObjectV1 } from './schema-v1.ts'
import { isSlothDocument, readSloth } from './sloth.ts'
import { withoutNulls } from './without-nulls.ts'
import { readV1alpha, VERSION_V1ALPHA } from './v1alpha.ts'
import { readV2alpha, VERSION_V2ALPHA } from './v2alpha.ts'

export type ReadOptions = {
  /** Refuses what the specification forbids although its own examples do it; else that is a warning. Default false. */
  readonly isStrict?: boolean
  /** What is kept already and may be referred to. By default nothing. */
  readonly kept?: Resolver
  /** Whether this is all that belongs together: then names are there once and references lead somewhere. Default true. */
  readonly isWhole?: boolean
}

export type ReadObjects = {
  /** Empty when there is an error. */
  readonly objects: readonly ObjectV1[]
  readonly problems: readonly OpenSloProblem[]
  /** Every object that has its shape, whatever else is wrong, and where it stands. */
  readonly found: readonly Found[]
}

/** @param files  texts with the name to tell in problems */
export function readOpenSlo(
  files: readonly { readonly file: string; readonly text: string }[],
  options: ReadOptions = {},
): ReadObjects {
  const read = files.map(({ file, text }) => readDocuments(text, file))
  const { objects, problems, found } = readSources(
    read.flatMap(({ sources }) => sources),
    options,
  )
  const unreadable = read.flatMap((one) => one.problems)
  return { objects: unreadable.length > 0 ? [] : objects, problems: [...unreadable, ...problems], found }
}

/** As `readOpenSlo`, for documents that were read already. */
export function readSources(
  sources: readonly Source[],
  { isStrict = false, kept = nothingKept, isWhole = true }: ReadOptions = {},
): ReadObjects {
  const problems: OpenSloProblem[] = []
  const found = sources.flatMap((source) => readObject(source, isStrict, problems))
  if (isWhole) {
    const resolve = resolverOf(
      found.map(({ object }) => object),
      kept,
    )
    // What is there and cannot be read is told once, and not by each that refers to it.
    const unread = new Set(sources.map(({ value }) => idOf(value)))
    problems.push(...duplicates(found), ...checkReferences(found, resolve, unread))
  }
  const isRefused = problems.some(({ severity }) => severity === 'error')
  return { objects: isRefused ? [] : found.map(({ object }) => object), problems, found }
}

function idOf(value: unknown): string {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null }
  return typeof kind === 'string' ? `${kind}/${String(metadata?.name)}` : ''
}

function readObject(source: Source, isStrict: boolean, problems: OpenSloProblem[]): Found[] {
  const tell: Tell = (severity, code, path, message, remedy) =>
    void problems.push(problemAt(source, severity, code, path, message, remedy))
  const { value } = source
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    tell('error', 'no-object', [], 'is no object', 'write apiVersion, kind, metadata and spec')
    return []
  }
  if (!checkTexts(value, [], tell)) return []
  const { apiVersion } = value as { apiVersion?: unknown }
  if (isSlothDocument(value)) return checked(readSloth(source, tell), isStrict, problems)
  if (apiVersion === VERSION_V1) return checked(readV1(source, tell), isStrict, problems)
  if (apiVersion === VERSION_V1ALPHA) return checked(readV1alpha(source, isStrict, tell), isStrict, problems)
  if (apiVersion === VERSION_V2ALPHA) return checked(readV2alpha(source, tell), isStrict, problems)
  const message = apiVersion === undefined ? 'is missing' : `is ${shown(apiVersion)}, which is not read`
  tell(
    'error',
    'version',
    ['apiVersion'],
    message,
    `write ${VERSION_V1}; ${VERSION_V1ALPHA}, ${VERSION_V2ALPHA} and Sloth are read, too`,
  )
  return []
}

function readV1(source: Source, tell: Tell): Found[] {
  const { kind } = source.value as { kind?: unknown }
  if (!isKindV1(kind)) {
    tell('error', 'kind', ['kind'], `is ${shown(kind)}, which is none`, remedyOf(kind, KINDS_V1))
    return []
  }
  const parsed = OBJECTS_V1[kind].safeParse(withoutNulls(source.value), { reportInput: true })
  if (parsed.success) return [{ object: parsed.data, source }]
  for (const { code, path, message, remedy } of toldOf(parsed.error.issues, OBJECTS_V1[kind]))
    tell('error', code, path, message, remedy)
  return []
}

/** Applies the rules; a lenient reading leaves out or fills in what it only warned of, so that what is kept is good v1. */
function checked(found: readonly Found[], isStrict: boolean, problems: OpenSloProblem[]): Found[] {
  return found.map(({ object, source }) => {
    const before = problems.length
    checkObject(object, isStrict, (severity, code, path, message, remedy) => {
      problems.push(problemAt(source, severity, code, path, message, remedy))
    })
    const isWrong = problems.slice(before).some(({ severity }) => severity === 'error')
    return { object: isStrict || isWrong ? object : completed(object, source, problems), source }
  })
}

function completed(object: ObjectV1, source: Source, problems: OpenSloProblem[]): ObjectV1 {
  if (object.kind !== 'SLO') return object
  const { spec } = object
  const objectives = spec.objectives.map((objective) => {
    const sli = objective.indicator?.spec ?? spec.indicator?.spec
    if (sli?.ratioMetric === undefined) return objective
    const { op: _op, value: _value, ...rest } = objective
    return rest
  })
  if (spec.timeWindow !== undefined) return { ...object, spec: { ...spec, objectives } }
  const path = ['spec', 'timeWindow']
  problems.push(
    problemAt(
      source,
      'warning',
      'assumed',
      path,
      'is missing; 30 days that roll are assumed',
      'say which window is meant',
    ),
  )
  return { ...object, spec: { ...spec, objectives, timeWindow: [{ duration: '30d', isRolling: true }] } }
}

// oxlint-disable-next-line no-control-regex -- that is what is looked for
const UNFIT = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/

/** Texts that a database cannot hold, or that a terminal would obey. */
function checkTexts(value: unknown, path: Path, tell: Tell): boolean {
  if (typeof value === 'string') {
    if (!UNFIT.test(value) && value.isWellFormed()) return true
    tell('error', 'control-character', path, 'holds control characters or half a character', 'leave them out')
    return false
  }
  if (typeof value !== 'object' || value === null) return true
  const members = Array.isArray(value)
    ? value.map((item, index) => checkTexts(item, [...path, index], tell))
    : Object.entries(value).map(
        ([key, item]: [string, unknown]) =>
          checkTexts(key, path, tell) && checkTexts(item, [...path, key], tell),
      )
  return members.every(Boolean)
}

function duplicates(found: readonly Found[]): OpenSloProblem[] {
  const seen = new Set<string>()
  return found.flatMap(({ object, source }) => {
    const id = `${object.kind}/${object.metadata.name}`
    if (!seen.has(id)) {
      seen.add(id)
      return []
    }
    const message = `there is another ${object.kind} «${object.metadata.name}» before it`
    return [
      problemAt(
        source,
        'error',
        'duplicate',
        ['metadata', 'name'],
        message,
        'rename one of them, or leave one out',
      ),
    ]
  })
}
