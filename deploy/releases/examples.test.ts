// What is shown as an example can be applied as it is.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readBundle } from '../../query/registry/bundle.ts'

const folder = new URL('./', import.meta.url)
const files = readdirSync(folder)
  .filter((name) => /\.(?:yaml|csv)$/.test(name))
  .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }))

test('every example is an order without a problem', () => {
  const { objects, problems } = readBundle(files, [], () => undefined)
  expect(problems).toEqual([])
  expect(objects.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual([
    'release-order night-2026-11-28',
    'release-order night-2026-11-29',
  ])
})
