import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readReturnCodes, RULES_MAX } from './return-codes.ts'
import { ConfigError } from './runtime/config.ts'

let folder = ''
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'surety-codes-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function file(content: unknown): string {
  const path = join(folder, 'codes.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function problemsOf(path: string): readonly string[] {
  try {
    readReturnCodes(path)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the file was accepted')
}

test('no map, no rules', () => {
  expect(readReturnCodes(undefined)).toEqual([])
})

test('exact codes decide before prefixes, longer prefixes before shorter ones, whatever their order in the file', () => {
  const path = file({
    'S*': 'system_error',
    'SYS*': 'shed',
    'LIM*': 'business_error',
    SYS0001: 'ok',
    'SYSTEM*': 'business_reject',
    LIM0021: 'business_reject',
    42: 'ok',
  })
  expect(readReturnCodes(path)).toEqual([
    { code: '42', outcome: 'ok' },
    { code: 'LIM0021', outcome: 'business_reject' },
    { code: 'SYS0001', outcome: 'ok' },
    { code: 'SYSTEM*', outcome: 'business_reject' },
    { code: 'LIM*', outcome: 'business_error' },
    { code: 'SYS*', outcome: 'shed' },
    { code: 'S*', outcome: 'system_error' },
  ])
})

describe('a file that cannot be used is refused, and each problem names the variable, the file and the entry', () => {
  test.each([
    { name: 'text that is not JSON', content: '{"LIM*": ', want: [/cannot be read as JSON \(.+\)$/] },
    {
      name: 'a list',
      content: ['LIM*'],
      want: [/codes\.json: Invalid input: expected record, received array$/],
    },
    {
      name: 'an outcome that does not exist, twice',
      content: { 'LIM*': 'rejected', OK1: 'ok', X1: 'error' },
      want: [/: LIM\*: .*business_reject/, /: X1: .*business_reject/],
    },
    {
      name: 'a star in the middle',
      content: { 'LI*M': 'ok' },
      want: [/: LI\*M: .*a code may end with \* and hold no other \*/],
    },
    {
      name: 'nothing but a star',
      content: { '*': 'ok' },
      want: [/: \*: .*a code may end with \* and hold no other \*/],
    },
    { name: 'a code of 65 characters', content: { ['x'.repeat(65)]: 'ok' }, want: [/: x{65}: .*64/] },
    {
      name: 'too many codes',
      content: Object.fromEntries(Array.from({ length: RULES_MAX + 1 }, (_, index) => [`C${index}`, 'ok'])),
      want: [/: 1001 codes, at most 1000; use prefixes$/],
    },
  ])('$name', ({ content, want }) => {
    const path = file(content)
    const problems = problemsOf(path)
    expect(problems).toHaveLength(want.length)
    problems.forEach((problem, index) => {
      expect(problem.startsWith(`SURETY_RETURN_CODE_MAP=${path}: `)).toBe(true)
      expect(problem).toMatch(want[index] ?? /^$/)
    })
  })

  test('a file that is not there', () => {
    const path = join(folder, 'absent.json')
    expect(problemsOf(path)).toEqual([
      expect.stringMatching(
        /^SURETY_RETURN_CODE_MAP=.*absent\.json: cannot be read as JSON \(.*ENOENT/,
      ) as string,
    ])
  })
})
