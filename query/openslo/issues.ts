// What zod finds, told as our problems: with a code that stays, what is wrong, and what to do. An unknown member is told at its
// own place; of a choice, what is wrong with the form that fits best.

import { z } from 'zod'
import { shown, type Path, type ProblemCode } from './problem.ts'

export type Told = {
  readonly code: ProblemCode
  readonly path: Path
  readonly message: string
  readonly remedy: string
}

/** Message and remedy of a rule that a shape cannot say, for `refine`. */
export function rule(message: string, remedy: string, code: ProblemCode = 'invalid') {
  return { error: message, params: { remedy, code } }
}

/** @param shape  what was looked for, to say which fields there are */
export function toldOf(issues: readonly z.core.$ZodIssue[], shape: z.ZodType, prefix: Path = []): Told[] {
  return issues.flatMap((issue): Told[] => {
    const path = [...prefix, ...(issue.path as Path)]
    if (issue.code === 'unrecognized_keys') {
      const fields = fieldsAt(shape, path)
      return issue.keys.map((key) => unknownField([...path, key], key, fields))
    }
    if (issue.code === 'invalid_union') {
      const best = issue.errors.toSorted((a, b) => weight(a) - weight(b))[0]
      if (best !== undefined && best.length > 0) return toldOf(best, shape, path)
    }
    if (issue.code === 'invalid_key') return toldOf(issue.issues, shape, path)
    return [{ path, ...sentence(issue) }]
  })
}

// A form that misses its kind, or most of its members, is not the one that was meant.
const weight = (issues: readonly z.core.$ZodIssue[]) =>
  issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)

function unknownField(path: Path, key: string, fields: readonly string[]): Told {
  const near = nearest(key, fields)
  const remedy =
    near === undefined
      ? `known here: ${fields.length === 0 ? 'nothing' : fields.join(', ')}; look at the level it stands on`
      : `did you mean «${near}»?`
  return { code: 'unknown-field', path, message: `«${key}» is no field that is known here`, remedy }
}

function sentence(issue: z.core.$ZodIssue): Omit<Told, 'path'> {
  const { code } = issue
  if (code === 'invalid_type' || code === 'invalid_value') {
    const wanted = code === 'invalid_type' ? nameOf(issue.expected) : listOf(issue.values)
    if (issue.input === undefined)
      return { code: 'required', message: 'is required', remedy: `give it: ${wanted}` }
    if (code === 'invalid_type')
      return { code: 'invalid', message: `must be ${wanted}`, remedy: 'look at its quotes and indentation' }
    const message = `is ${shown(issue.input)}, which is not known here`
    return { code: 'invalid', message, remedy: remedyOf(issue.input, issue.values.map(String)) }
  }
  if (code === 'too_big')
    return { code: 'invalid', message: bound('at most', issue.maximum, issue.origin), remedy: 'make it less' }
  if (code === 'too_small')
    return {
      code: 'invalid',
      message: bound('at least', issue.minimum, issue.origin),
      remedy: 'make it more',
    }
  if (code !== 'custom') return { code: 'invalid', message: issue.message, remedy: 'correct it' }
  const { remedy = 'correct it', code: own = 'invalid' } = (issue.params ?? {}) as {
    remedy?: string
    code?: ProblemCode
  }
  return { code: own, message: issue.message, remedy }
}

const listOf = (values: readonly unknown[]) => values.map(String).join(', ')

function nameOf(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    object: 'an object',
    record: 'an object',
    array: 'a list',
  }
  return names[expected] ?? expected
}

function bound(which: string, much: number | bigint, origin: string): string {
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
  return `must ${unit === '' ? 'be' : 'have'} ${which} ${much}${unit}`
}

/** Names of the members of the object at a path; of a choice, those of all forms. */
function fieldsAt(shape: z.ZodType, path: Path): string[] {
  let at: readonly z.core.$ZodType[] = forms(shape)
  for (const part of path)
    at = at.flatMap((one) => {
      if (one instanceof z.ZodObject) return forms(one.shape[part as string] as z.ZodType | undefined)
      if (one instanceof z.ZodArray) return forms(one.element)
      return one instanceof z.ZodRecord ? forms(one.valueType) : []
    })
  return [...new Set(at.flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : [])))]
}

function forms(shape: z.core.$ZodType | undefined): z.core.$ZodType[] {
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodDefault) return forms(shape.unwrap())
  if (shape instanceof z.ZodUnion) return shape.options.flatMap(forms)
  return shape === undefined ? [] : [shape]
}

/** What to write in place of a word that is none of some. */
export function remedyOf(word: unknown, words: readonly string[]): string {
  const near = typeof word === 'string' ? nearest(word, words) : undefined
  return near === undefined ? `take ${listOf(words)}` : `did you mean «${near}»?`
}

/** The one of some words that a misspelled one was probably meant to be. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const away = (other: string) =>
    other.toLowerCase() === word.toLowerCase() ? 0 : editDistance(word.toLowerCase(), other.toLowerCase())
  const [best] = words.toSorted((a, b) => away(a) - away(b))
  return best !== undefined && away(best) <= Math.min(2, Math.floor(word.length / 3)) ? best : undefined
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]),
      )
    row = next
  }
  return row[b.length] ?? 0
}
