import { expect, test } from 'vitest'
import { buildRecentDigests } from './recent-digests.ts'

test('a digest is known within its window and forgotten beyond it', () => {
  const recent = buildRecentDigests<number>(1000, 10)
  recent.note('a', 1, 5000)
  expect(recent.find('a', 6000)).toBe(1)
  expect(recent.find('a', 6001)).toBeUndefined()
  expect(recent.find('b', 5000)).toBeUndefined()
  recent.note('b', 2, 7000)
  expect(recent.size()).toBe(1)
})

test('beyond the number the oldest go', () => {
  const recent = buildRecentDigests<number>(1000, 3)
  for (const [at, digest] of ['a', 'b', 'c', 'a', 'd'].entries()) recent.note(digest, at, at)
  expect(recent.size()).toBe(3)
  expect(['a', 'b', 'c', 'd'].map((digest) => recent.find(digest, 5))).toEqual([3, undefined, 2, 4])
})
