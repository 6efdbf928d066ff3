// The table of statements in ARCHITECTURE.md is true: every file that it names has a test whose name begins with the number.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

const rows = [...read('ARCHITECTURE.md').matchAll(/^\| (\d+\.\d+) +\| [^|]+ \| ([^|]+) \|$/gm)].map(
  ([, number = '', files = '']) => ({
    number,
    files: [...files.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = '']) => file),
  }),
)

test('statements of the SLO engine are listed, those of alerting elsewhere aside', () => {
  const numbers = (chapter: number, last: number, without: readonly number[]) =>
    Array.from({ length: last }, (_, index) => index + 1)
      .filter((number) => !without.includes(number))
      .map((number) => `${chapter}.${number}`)
  expect(rows.map(({ number }) => number)).toEqual([
    ...numbers(1, 14, [13]),
    ...numbers(2, 12, [9]),
    ...numbers(8, 13, []),
  ])
})

test.each(rows)(
  'statement $number has a test by its number in each file that is named',
  ({ number, files }) => {
    expect(files).not.toEqual([])
    const named = new RegExp(`(?:test|describe)[^\\n]*\\(\\s*['"\`]${number.replace('.', '\\.')} `)
    expect(files.filter((file) => !named.test(read(file)))).toEqual([])
  },
)
