// Which numbers are masked at ingest: SURETY_MASKING is `on`, `off`, or a small JSON file; every mistake in it is named.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from './runtime/config.ts'
import { literal } from './store/literal.ts'
import { StoreError, type Store } from './store/store.ts'
import { DEFAULT_MASKING, MASKED_KINDS, NO_MASKING, type Masking } from './store/masking.ts'

const Keys = z.array(z.string().min(1).max(256)).max(100)

const MaskingFile = z.strictObject({
  kinds: z.array(z.enum(MASKED_KINDS)).default([...MASKED_KINDS]),
  patterns: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        regex: z
          .string()
          .min(1)
          .max(1000)
          .refine(isRegex, 'is not a regular expression')
          .refine(hasNoGroups, 'must not capture; write (?:…) for a group')
          .refine(
            (text) => !isRegex(text) || !new RegExp(text, 'u').test(''),
            'must not match the empty text',
          ),
        keepLast: z.number().int().min(0).max(8).default(4),
      }),
    )
    .max(20)
    .default([]),
  keys: Keys.default([...DEFAULT_MASKING.keys]),
  except: Keys.default([]),
})

/**
 * @param setting  `on`, `off` or the path of a JSON file {kinds, patterns, keys, except}
 * @throws ConfigError naming the file and the entries that are wrong
 */
export function readMasking(setting: string): Masking {
  if (setting === 'on') return DEFAULT_MASKING
  if (setting === 'off') return NO_MASKING
  const place = `SURETY_MASKING=${setting}`
  let json: unknown
  try {
    json = JSON.parse(readFileSync(setting, 'utf8'))
  } catch (error) {
    throw new ConfigError([
      `${place}: must be on, off, or a JSON file that can be read (${(error as Error).message})`,
    ])
  }
  const parsed = MaskingFile.safeParse(json)
  if (parsed.success) return parsed.data
  throw new ConfigError(
    parsed.error.issues.map((issue) => [place, ...issue.path.map(String), issue.message].join(': ')),
  )
}

/** Asks the engine, whose expressions are RE2's, to take each pattern. @throws ConfigError naming those it refuses */
export async function checkMasking(masking: Masking, store: Pick<Store, 'rows'>): Promise<void> {
  const problems: string[] = []
  for (const { name, regex } of masking.patterns) {
    try {
      await store.rows(`SELECT match('', ${literal(regex)}) AS answer`)
    } catch (error) {
      if (!(error instanceof StoreError) || error.retryable) throw error
      problems.push(
        `SURETY_MASKING: patterns: ${name}: the engine (RE2) refuses it: ${error.message.split('\n')[0] ?? ''}`,
      )
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

// The engine's regular expressions are RE2's; what JavaScript refuses too is said at once, the rest by the engine.
function isRegex(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== ''
  } catch {
    return false
  }
}

function hasNoGroups(text: string): boolean {
  return !isRegex(text) || new RegExp(`${text}|`, 'u').exec('')?.length === 1
}
