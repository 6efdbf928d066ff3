// What is wrong with a document, or worth a second look, where, and what to do. Codes are for programs and stay as they are;
// a new mistake gets a new code.

export type OpenSloProblem = {
  readonly severity: 'error' | 'warning'
  /** Stable, one of `PROBLEM_CODES` for what this folder finds. */
  readonly code: string
  /** File, when documents came from files. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** `spec.objectives[0].target`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
  /** What to do about it; there for everything that this folder finds. */
  readonly remedy?: string
}

export type Severity = OpenSloProblem['severity']

/** Code → what it means, for people who filter by it. */
export const PROBLEM_CODES = {
  syntax: 'the text is no YAML and no JSON',
  'too-big': 'the text is larger than is read at once',
  'too-deep': 'the text nests deeper than is read',
  'no-object': 'a document is no object with apiVersion, kind, metadata and spec',
  version: 'the version is none that is read',
  kind: 'the kind is none of this version',
  'old-version': 'a version before or after v1, taken over as v1',
  required: 'something is missing',
  'unknown-field': 'a field that the specification does not have here',
  invalid: 'a value that the specification does not allow here',
  'control-character': 'a text holds characters that cannot be stored or shown',
  'one-of': 'of several fields exactly one may stand',
  forbidden: 'a field that must not stand beside another',
  'ignored-field': 'a field that means nothing here and is not heeded',
  'not-kept': 'something that cannot be taken over',
  assumed: 'something that is missing and was filled in',
  'time-zone': 'a zone that the IANA database does not have',
  'minute-for-month': 'a duration in minutes that was probably meant in months',
  'rolling-months': 'months, quarters or years that roll have a fixed length',
  window: 'a window that cannot be kept',
  slice: 'a time slice that does not fit what is measured',
  duplicate: 'the same kind and name twice',
  dangling: 'a reference to what is not there',
  cycle: 'composites that contain one another',
  'mixed-methods': 'a composite of several budgeting methods',
  annotation: 'one of our annotations with a value that is none',
  'unknown-annotation': 'an annotation of our prefix that is none of ours',
  source: 'a metric source of ours that says something it cannot say',
  query: 'a query outside the part of PromQL that is executed',
  'not-measured': 'good OpenSLO that Surety does not measure',
  threshold: 'a comparison the wrong way round',
  groups: 'groups where there can be none, or too many',
  'burn-threshold': 'a burn rate that can never be exceeded',
  'sloth-plugin': 'a plugin of Sloth that is not there',
} as const
export type ProblemCode = keyof typeof PROBLEM_CODES

export type Path = readonly (string | number)[]

/** Tells one problem of a document. */
export type Tell = (
  severity: Severity,
  code: ProblemCode,
  path: Path,
  message: string,
  remedy: string,
) => void

/** As people write it: `spec.objectives[0].op`; keys that are no plain words stand in quotes. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    if (!/^[\w$-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

/** Something of a document as a message quotes it: never longer than a line. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return `«${text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text}»`
}
const SHOWN_MAX = 80

/** A problem as one line: `slos.yaml:12: error: spec.objectives[0].target must be below 1; 0.999 is 99.9 %`. */
export function problemText({ severity, file, line, path, message, remedy = '' }: OpenSloProblem): string {
  const what = path === '' ? message : `${path} ${message}`
  return `${file}:${line}: ${severity}: ${what}${remedy === '' ? '' : `; ${remedy}`}`
}
