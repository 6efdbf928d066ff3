import { expect, test } from 'vitest'
import { isNewIn } from './service-errors.ts'

const began = new Map([
  ['1.0', 100],
  ['1.1', 200],
  ['1.2', 300],
])

test.each([
  { name: 'the oldest version has nothing to be new against', version: '1.0', shownBy: ['1.0'], want: false },
  { name: 'older versions ran without it', version: '1.2', shownBy: ['1.2'], want: true },
  { name: 'later versions show it too', version: '1.1', shownBy: ['1.1', '1.2'], want: true },
  { name: 'an older version shows it, if later', version: '1.1', shownBy: ['1.1', '1.0'], want: false },
  { name: 'a version that took no requests', version: '9.9', shownBy: ['9.9'], want: false },
])('$name', ({ version, shownBy, want }) => {
  expect(isNewIn(version, shownBy, began)).toBe(want)
})
