import { expect, test } from 'vitest'
import { parsePlace, valueAt } from './json-place.ts'

const VALUE = { a: { b: [{ c: 1 }, { 'd.e': 'x' }] }, 'app.kubernetes.io/name': 'transfer' }

test.each([
  ['a.b[0].c', 1],
  ['$.a.b[0].c', 1],
  ['a.b[1]["d.e"]', 'x'],
  ['["app.kubernetes.io/name"]', 'transfer'],
  ['a.b[2].c', undefined],
  ['a.__proto__', undefined],
  ['a.b.length', undefined],
  ['constructor', undefined],
])('%s leads to %o', (path, want) => {
  const place = parsePlace(path)
  expect(place).toBeDefined()
  expect(valueAt(VALUE, place ?? [])).toEqual(want)
})

test.each(['', '$', '.', 'a..b', 'a.', 'a[', 'a[x]', 'a[0]b', '[*]'])('«%s» is no path', (path) => {
  expect(parsePlace(path)).toBeUndefined()
})
