import { expect, test } from 'vitest'
import { buildSharedAnswers } from './shared-answers.ts'

test('who asks the same meanwhile gets the same answer; another key, or a later question, does not', async () => {
  const shared = buildSharedAnswers<number>()
  let runs = 0
  const work = () => Promise.resolve((runs += 1))
  expect(await Promise.all([shared('a', work), shared('a', work), shared('b', work)])).toEqual([1, 1, 2])
  expect(await shared('a', work)).toBe(3)
})

test('a failure is told to all who wait and not kept', async () => {
  const shared = buildSharedAnswers<number>()
  const fails = () => Promise.reject(new Error('busy'))
  await expect(Promise.allSettled([shared('a', fails), shared('a', fails)])).resolves.toMatchObject([
    { status: 'rejected' },
    { status: 'rejected' },
  ])
  expect(await shared('a', () => Promise.resolve(1))).toBe(1)
})
