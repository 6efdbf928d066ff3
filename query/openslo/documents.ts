// From text to plain objects that know their lines: YAML of one or several documents, a list of objects, or JSON, which is YAML too.

import { isMap, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml'
import { pathText, type OpenSloProblem, type Path, type ProblemCode } from './problem.ts'

export type Source = {
  readonly value: unknown
  readonly file: string
  /** Line of what stands at a path, or of the nearest thing around it. */
  lineOf(path: Path): number
  /** Where something stands in the document as it was written, when `value` was made from another version. */
  readonly origin?: (path: Path) => Path
}

const BYTES_MAX = 4 * 1024 * 1024
// A document that names itself over and over grows without end.
const ALIASES_MAX = 100
const DEPTH_MAX = 100

/** @returns objects in order; a text that is no YAML gives a problem and no object */
export function readDocuments(
  text: string,
  file = '',
): { readonly sources: readonly Source[]; readonly problems: readonly OpenSloProblem[] } {
  const problems: OpenSloProblem[] = []
  const problem = (code: ProblemCode, line: number, message: string, remedy: string) =>
    void problems.push({ severity: 'error', code, file, line, path: '', message, remedy })
  if (Buffer.byteLength(text) > BYTES_MAX) {
    problem('too-big', 1, `has more than ${BYTES_MAX} bytes`, 'split it into several files')
    return { sources: [], problems }
  }
  const lines = new LineCounter()
  const sources: Source[] = []
  for (const document of documentsOf(text, lines, problem)) {
    const [error] = document.errors
    if (error !== undefined) {
      const { line } = lines.linePos(error.pos[0])
      problem(
        'syntax',
        line,
        error.message,
        'write valid YAML or JSON; quotes and indentation are the usual culprits',
      )
      continue
    }
    const value = valueOf(document, problem)
    if (value === undefined || value === null) continue
    const of = (prefix: Path, item: unknown): Source => ({
      value: item,
      file,
      lineOf: (path) => lineOf(document, lines, [...prefix, ...path]),
    })
    if (Array.isArray(value)) value.forEach((item, index) => sources.push(of([index], item)))
    else sources.push(of([], value))
  }
  return { sources, problems }
}

type Report = (code: ProblemCode, line: number, message: string, remedy: string) => void

function documentsOf(text: string, lines: LineCounter, problem: Report): Document.Parsed[] {
  try {
    // Anchors with merge keys are how people repeat a window or labels; Kubernetes reads them, too.
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      merge: true,
      prettyErrors: false,
      logLevel: 'error',
    })
    return Array.isArray(documents) ? (documents as Document.Parsed[]) : []
  } catch (failure) {
    if (!(failure instanceof RangeError)) throw failure
    problem(
      'too-deep',
      1,
      'nests too deeply',
      'a document of SLOs is a few levels deep; look at the brackets',
    )
    return []
  }
}

function valueOf(document: Document.Parsed, problem: Report): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    if (isWithin(value, DEPTH_MAX)) return value
    tooDeep(problem)
    return undefined
  } catch (failure) {
    if (failure instanceof RangeError) tooDeep(problem)
    else {
      const message = failure instanceof Error ? failure.message : String(failure)
      const remedy = `repeat parts by at most ${ALIASES_MAX} aliases, and name no part inside itself`
      problem('syntax', 1, message, remedy)
    }
    return undefined
  }
}

/** Also false for a part that contains itself. */
function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((member) => isWithin(member, depth - 1))
}

const tooDeep = (problem: Report) =>
  problem('too-deep', 1, 'nests too deeply', 'a document of SLOs is a few levels deep; look at the brackets')

function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const at = startOf(document, path.slice(0, length))
    if (at !== undefined) return lines.linePos(at).line
  }
  return 1
}

/** Where a member begins: at its key. */
function startOf(document: Document, path: Path): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0]
  const parent = (path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)) as
    Node | null | undefined
  const last = path.at(-1)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => (key as { value?: unknown } | null)?.value === last)
    return (pair?.key as Node | undefined)?.range?.[0]
  }
  if (isSeq(parent) && typeof last === 'number') return (parent.items[last] as Node | undefined)?.range?.[0]
  return undefined
}

/** A problem at a place of a source. */
export function problemAt(
  source: Source,
  severity: OpenSloProblem['severity'],
  code: string,
  path: Path,
  message: string,
  remedy?: string,
): OpenSloProblem {
  const written = source.origin?.(path) ?? path
  const problem = {
    severity,
    code,
    file: source.file,
    line: source.lineOf(written),
    path: pathText(written),
    message,
  }
  return remedy === undefined ? problem : { ...problem, remedy }
}
