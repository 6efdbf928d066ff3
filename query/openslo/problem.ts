// What is wrong with a document, or worth a second look, where, and what to do.

export type OpenSloProblem = {
  readonly severity: 'error' | 'warning'
  /** Stable, for programs. */
  readonly code: string
  /** File, when documents came from files. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** `spec.objectives[0].target`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
}

export type Path = readonly (string | number)[]

/** As people write it: `spec.objectives[0].op`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}
