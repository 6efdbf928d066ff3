import { expect, test } from 'vitest'
import { bisect, type Attempt } from './bisect.ts'

async function run(size: number, bad: readonly number[]) {
  const stored: number[] = []
  let attempts = 0
  const items = Array.from({ length: size }, (_, index) => index)
  const refused = await bisect(items, (part): Promise<Attempt> => {
    attempts += 1
    if (part.some((item) => bad.includes(item))) return Promise.resolve({ kind: 'refused', detail: 'no' })
    stored.push(...part)
    return Promise.resolve({ kind: 'stored' })
  })
  return { stored: stored.sort((a, b) => a - b), refused: refused.map(({ item }) => item), attempts }
}

test.each([
  { name: 'a good batch is one insert', size: 100, bad: [], attemptsMax: 1 },
  {
    name: 'one bad message among 128 costs about two inserts a halving',
    size: 128,
    bad: [77],
    attemptsMax: 15,
  },
  { name: 'bad messages at both ends', size: 10, bad: [0, 9], attemptsMax: 15 },
  { name: 'nothing but bad messages', size: 4, bad: [0, 1, 2, 3], attemptsMax: 7 },
  { name: 'a single bad message', size: 1, bad: [0], attemptsMax: 1 },
  { name: 'an empty batch asks nothing', size: 0, bad: [], attemptsMax: 0 },
])('$name', async ({ size, bad, attemptsMax }) => {
  const { stored, refused, attempts } = await run(size, bad)
  expect(refused).toEqual(bad)
  expect(stored).toEqual(
    Array.from({ length: size }, (_, index) => index).filter((index) => !bad.includes(index)),
  )
  expect(attempts).toBeLessThanOrEqual(attemptsMax)
})

test('an error that is no refusal ends the search', async () => {
  await expect(bisect([1, 2], () => Promise.reject(new Error('disk')))).rejects.toThrow('disk')
})
