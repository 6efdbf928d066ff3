// From files to objects and back: our own documents are read here, those of others by their parsers. What is wrong is told all at
// once, each with file, line and path.

import { readDocuments, problemAt, type Source } from '../openslo/documents.ts'
import type { OpenSloProblem } from '../openslo/problem.ts'
import { API_VERSION } from './api-version.ts'
import { checkObject, DEFINITIONS, isOwnKind, kindOfDocument } from './kinds.ts'
import { readOrderCsv } from './order-csv.ts'
import { idOf, type Kind, type RegistryObject, type Wanted } from './object.ts'

export type DocumentProblem = OpenSloProblem

/** What is kept already, as far as a parser said that it looks at it. */
export type Kept = (kind: Kind, name: string) => RegistryObject | undefined

/** Reads documents that are not our own: OpenSLO, Sloth. */
export interface DocumentParser {
  /** Whether a document is this parser's to read. */
  claims(document: {
    readonly apiVersion?: unknown
    readonly kind?: unknown
    readonly version?: unknown
  }): boolean
  /** Kinds of kept objects that it looks at. */
  readonly looksAt: readonly Kind[]
  /** All documents that it claims, together; objects of its kinds, or of `service` as a part. */
  parse(
    sources: readonly Source[],
    kept: Kept,
  ): { readonly objects: readonly Wanted[]; readonly problems: readonly DocumentProblem[] }
}

export type BundleFile = { readonly file: string; readonly text: string }

export type Bundle = {
  /** Empty when there is an error. */
  readonly objects: readonly Wanted[]
  readonly problems: readonly DocumentProblem[]
}

const DOCUMENTS_MAX = 50_000

export function readBundle(
  files: readonly BundleFile[],
  parsers: readonly DocumentParser[],
  kept: Kept,
): Bundle {
  const problems: DocumentProblem[] = []
  const objects: { readonly object: Wanted; readonly source: Source | undefined }[] = []
  const claimed = new Map<DocumentParser, Source[]>()
  const sources = files.flatMap(({ file, text }) => {
    const read = /\.csv$/i.test(file) ? readOrderCsv(text, file) : readDocuments(text, file)
    problems.push(...read.problems)
    return read.sources
  })
  for (const source of sources.slice(0, DOCUMENTS_MAX)) {
    const { value } = source
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(
        problemAt(source, 'error', 'no-object', [], 'is no object with apiVersion, kind, metadata and spec'),
      )
      continue
    }
    const parser = parsers.find((one) => one.claims(value))
    if (parser === undefined) {
      const object = readOwn(source, value, problems)
      if (object !== undefined) objects.push({ object, source })
    } else claimed.set(parser, [...(claimed.get(parser) ?? []), source])
  }
  if (sources.length > DOCUMENTS_MAX)
    problems.push(tooMany(`${sources.length} documents; at most ${DOCUMENTS_MAX} are applied at once`))
  for (const [parser, given] of claimed) {
    const parsed = parser.parse(given, kept)
    problems.push(...parsed.problems)
    objects.push(...parsed.objects.map((object) => ({ object, source: undefined })))
  }
  const seen = new Set<string>()
  for (const { object, source } of objects) {
    const id = idOf(object)
    if (seen.has(id)) {
      const message = `there is another ${object.kind} «${object.name}» before it`
      problems.push(
        source === undefined
          ? tooMany(message)
          : problemAt(source, 'error', 'duplicate', ['metadata', 'name'], message),
      )
    }
    seen.add(id)
  }
  const isRefused = problems.some(({ severity }) => severity === 'error')
  return { objects: isRefused ? [] : objects.map(({ object }) => object), problems }
}

const tooMany = (message: string): DocumentProblem => ({
  severity: 'error',
  code: 'bundle',
  file: '',
  line: 1,
  path: '',
  message,
})

function readOwn(source: Source, value: object, problems: DocumentProblem[]): Wanted | undefined {
  const tell = (code: string, path: readonly (string | number)[], message: string) =>
    void problems.push(problemAt(source, 'error', code, path, message))
  const { apiVersion, kind: document, metadata, spec, ...others } = value as Record<string, unknown>
  const kind = kindOfDocument(apiVersion, document)
  if (kind === undefined || !isOwnKind(kind)) {
    const own = Object.values(DEFINITIONS).filter((definition) => definition.apiVersion === API_VERSION)
    if (apiVersion === API_VERSION)
      tell(
        'kind',
        ['kind'],
        `is «${String(document)}»; there are ${own.map((one) => one.document).join(', ')}`,
      )
    else tell('version', ['apiVersion'], `is «${String(apiVersion)}»; «${API_VERSION}» is ours`)
    return undefined
  }
  for (const key of Object.keys(others))
    tell('unknown-field', [key], `unknown field «${key}»; there are apiVersion, kind, metadata and spec`)
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    tell('required', ['metadata'], 'is required, with a name')
    return undefined
  }
  const { name, ...rest } = metadata as Record<string, unknown>
  const checked = checkObject(kind, name, rest, spec ?? {})
  if ('wanted' in checked) return checked.wanted
  for (const { path, message } of checked.faults) tell('invalid', path, message)
  return undefined
}

/** The document that an object comes back from. */
export function documentOf({
  kind,
  name,
  metadata,
  spec,
}: Pick<RegistryObject, 'kind' | 'name' | 'metadata' | 'spec'>) {
  const { apiVersion, document } = DEFINITIONS[kind]
  return { apiVersion, kind: document, metadata: { name, ...metadata }, spec }
}
