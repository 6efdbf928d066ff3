import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMasking } from './masking.ts'
import { ConfigError } from './runtime/config.ts'
import { DEFAULT_MASKING, NO_MASKING } from './store/masking.ts'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'surety-masking-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function file(content: unknown): string {
  const path = join(folder, 'masking.json')
  writeFileSync(path, JSON.stringify(content))
  return path
}

function problemsOf(setting: string): readonly string[] {
  try {
    readMasking(setting)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the setting was accepted')
}

test('on and off need no file', () => {
  expect(readMasking('on')).toBe(DEFAULT_MASKING)
  expect(readMasking('off')).toBe(NO_MASKING)
})

test('what a file does not say is as by default', () => {
  const path = file({ patterns: [{ name: 'passport', regex: '[EG]\\d{8}' }], except: ['bank.txn.id'] })
  expect(readMasking(path)).toEqual({
    ...DEFAULT_MASKING,
    patterns: [{ name: 'passport', regex: '[EG]\\d{8}', keepLast: 4 }],
    except: ['bank.txn.id'],
  })
})

describe('a file that cannot be used is refused, and each problem names the variable, the file and the entry', () => {
  const pattern = (regex: string) => ({ patterns: [{ name: 'x', regex }] })
  test.each([
    { name: 'a kind that does not exist', content: { kinds: ['iban'] }, want: [/: kinds: 0: .*card/] },
    { name: 'a word that does not exist', content: { pattern: [] }, want: [/Unrecognized key: "pattern"/] },
    {
      name: 'no regular expression',
      content: pattern('[0-'),
      want: [/: patterns: 0: regex: is not a regular/],
    },
    { name: 'a capturing group', content: pattern('(a)b'), want: [/: regex: must not capture/] },
    {
      name: 'an expression of nothing',
      content: pattern('a*'),
      want: [/: regex: must not match the empty text/],
    },
  ])('$name', ({ content, want }) => {
    const path = file(content)
    const problems = problemsOf(path)
    expect(problems).toHaveLength(want.length)
    problems.forEach((problem, index) => {
      expect(problem.startsWith(`SURETY_MASKING=${path}: `)).toBe(true)
      expect(problem).toMatch(want[index] ?? /^$/)
    })
  })

  test('a file that is not there', () => {
    expect(problemsOf(join(folder, 'absent.json'))).toEqual([
      expect.stringMatching(/^SURETY_MASKING=.*: must be on, off, or a JSON file.*ENOENT/) as string,
    ])
  })
})
