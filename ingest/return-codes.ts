// The bank's return codes and what they mean for a promise. A small JSON file; every mistake in it is named.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './runtime/config.ts'
import type { ReturnCodeRule } from './store/insert-spans.ts'

/** Every rule is part of every insert; the engine refuses a statement of about twice as many. */
export const RULES_MAX = 1000
const ReturnCodeMap = z.record(
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[^*]+\*?$/, 'a code may end with * and hold no other *'),
  z.enum(['ok', 'business_reject', 'business_error', 'shed', 'system_error']),
)

/**
 * @param path  JSON object from code (or prefix with a trailing `*`) to outcome; undefined for no map
 * @returns exact codes first, then prefixes from the longest, so that the most specific rule decides
 * @throws ConfigError naming the file and the entries that are wrong
 */
export function readReturnCodes(path: string | undefined): ReturnCodeRule[] {
  if (path === undefined) return []
  const place = `SURETY_RETURN_CODE_MAP=${path}`
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ConfigError([`${place}: cannot be read as JSON (${(error as Error).message})`])
  }
  const parsed = ReturnCodeMap.safeParse(json)
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => [place, ...sentence(issue)].join(': ')))
  }
  const rules = Object.entries(parsed.data).map(([code, outcome]) => ({ code, outcome }))
  if (rules.length > RULES_MAX)
    throw new ConfigError([`${place}: ${rules.length} codes, at most ${RULES_MAX}; use prefixes`])
  const specificity = ({ code }: ReturnCodeRule) =>
    code.endsWith('*') ? code.length : Number.POSITIVE_INFINITY
  return rules.sort((a, b) => specificity(b) - specificity(a) || (a.code < b.code ? -1 : 1))
}

/** The entry, if it is one that is wrong, and what is wrong; a key's own issues stand inside its issue. */
function sentence(issue: z.core.$ZodIssue): string[] {
  const message =
    issue.code === 'invalid_key' ? issue.issues.map((inner) => inner.message).join(', ') : issue.message
  return [...issue.path.map(String), message]
}
