import { expect, test } from 'vitest'
import { buildProgress } from './progress.ts'

function told(isTTY: boolean): string {
  let text = ''
  const progress = buildProgress('Past', { isTTY, write: (more: string) => (text += more) })
  for (let step = 0; step <= 200; step += 1) progress(step / 200)
  return text
}

test('a line every ten percent where nobody can redraw', () => {
  expect(told(false).split('\n').slice(0, 3)).toEqual(['Past: 0 %', 'Past: 10 %', 'Past: 20 %'])
  expect(told(false).split('\n')).toHaveLength(12)
})

test('one line on a terminal, ended once', () => {
  expect(told(true).split('\n')).toHaveLength(2)
  expect(told(true)).toMatch(/\r.* 100 %\n$/)
})
