// What is written is read back as it was: export and import again change nothing.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readSlos } from './bundle.ts'
import { readOpenSlo } from './read.ts'
import { writeOpenSlo } from './write.ts'

const ROOTS = ['test/fixtures/openslo/', 'test/fixtures/sloth/', 'deploy/slos/'].map(
  (path) => new URL(`../../${path}`, import.meta.url),
)
const files = ROOTS.flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .map((file) => ({ file, text: readFileSync(new URL(file, root), 'utf8') })),
)
const taken = files.flatMap((given) => {
  const { objects } = readOpenSlo([given], { isWhole: false })
  return objects.length === 0 ? [] : [{ file: given.file, objects }]
})

test('there is something to write, of all seven kinds', () => {
  expect(taken.length).toBeGreaterThan(30)
  expect(new Set(taken.flatMap(({ objects }) => objects.map(({ kind }) => kind))).size).toBe(7)
})

describe.each(taken)('1.14 $file', ({ objects }) => {
  test.each(['yaml', 'json'] as const)(
    'as %s: the same objects, in strict mode, and the same text again',
    (format) => {
      const text = writeOpenSlo(objects, format)
      const again = readOpenSlo([{ file: 'again', text }], { isStrict: true, isWhole: false })
      expect(again.problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(again.objects).toEqual(objects)
      expect(writeOpenSlo(again.objects, format)).toBe(text)
    },
  )
})

test('1.14 what is executed is the same after export and import', () => {
  const examples = files.filter(({ file }) =>
    /^(?:availability|latency|journey|branches|calendar)/.test(file),
  )
  const before = readSlos(examples)
  const after = readSlos([{ file: 'again', text: writeOpenSlo(before.objects) }])
  expect(before.definitions.size).toBeGreaterThan(10)
  expect([...after.definitions]).toEqual([...before.definitions])
})

test('texts that readers of YAML 1.1 take for something else stand in quotes', () => {
  const { objects } = readOpenSlo([
    {
      file: '',
      text: JSON.stringify({
        apiVersion: 'openslo/v1',
        kind: 'DataSource',
        metadata: { name: 'a', labels: { on: 'yes', version: '1.10' } },
        spec: {
          type: 'x',
          connectionDetails: { at: '2022-01-01 12:00:00', long: 'x '.repeat(200), several: 'a\nb\n' },
        },
      }),
    },
  ])
  const text = writeOpenSlo(objects)
  expect(parse(text, { version: '1.1' })).toEqual(objects[0])
  expect(text).toContain('"2022-01-01 12:00:00"')
})
