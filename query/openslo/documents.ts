// From text to plain objects that know their lines: YAML of one or several documents, a list of objects, or JSON, which is YAML too.

import { isMap, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml'
import { pathText, type OpenSloProblem, type Path } from './problem.ts'

export type Source = {
  readonly value: unknown
  readonly file: string
  /** Line of what stands at a path, or of the nearest thing around it. */
  lineOf(path: Path): number
}

const BYTES_MAX = 4 * 1024 * 1024
// A document that names itself over and over grows without end.
const ALIASES_MAX = 100

/** @returns objects in order; a text that is no YAML gives a problem and no object */
export function readDocuments(
  text: string,
  file = '',
): { readonly sources: readonly Source[]; readonly problems: readonly OpenSloProblem[] } {
  const problems: OpenSloProblem[] = []
  const problem = (code: string, line: number, message: string) =>
    void problems.push({ severity: 'error', code, file, line, path: '', message })
  if (Buffer.byteLength(text) > BYTES_MAX) {
    problem('too-big', 1, `more than ${BYTES_MAX} bytes; split it into several files`)
    return { sources: [], problems }
  }
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const sources: Source[] = []
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors
    if (error !== undefined) {
      problem('syntax', lines.linePos(error.pos[0]).line, `${error.message}; this is no valid YAML or JSON`)
      continue
    }
    if (document.contents === null) continue
    try {
      const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
      if (value === null) continue
      const of = (prefix: Path, item: unknown): Source => ({
        value: item,
        file,
        lineOf: (path) => lineOf(document, lines, [...prefix, ...path]),
      })
      if (Array.isArray(value)) value.forEach((item, index) => sources.push(of([index], item)))
      else sources.push(of([], value))
    } catch (failure) {
      problem('syntax', 1, failure instanceof Error ? failure.message : String(failure))
    }
  }
  return { sources, problems }
}

function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const at = startOf(document, path.slice(0, length))
    if (at !== undefined) return lines.linePos(at).line
  }
  return 1
}

/** Where a member begins: at its key. */
function startOf(document: Document, path: Path): number | undefined {
  const parent = path.length === 0 ? undefined : (document.getIn(path.slice(0, -1), true) as Node | undefined)
  const last = path.at(-1)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => (key as { value?: unknown } | null)?.value === last)
    return (pair?.key as Node | undefined)?.range?.[0]
  }
  if (isSeq(parent) && typeof last === 'number') return (parent.items[last] as Node | undefined)?.range?.[0]
  return path.length === 0 ? (document.contents?.range?.[0] ?? undefined) : undefined
}

/** A problem at a place of a source. */
export function problemAt(
  source: Source,
  severity: OpenSloProblem['severity'],
  code: string,
  path: Path,
  message: string,
): OpenSloProblem {
  return { severity, code, file: source.file, line: source.lineOf(path), path: pathText(path), message }
}
