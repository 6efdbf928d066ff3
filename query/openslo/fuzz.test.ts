// Documents that were damaged at random: nothing is thrown, every error has a place and a remedy, and nothing is half taken.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readSlos } from './bundle.ts'

const ROOTS = ['test/fixtures/openslo/', 'test/fixtures/sloth/', 'deploy/slos/'].map(
  (path) => new URL(`../../${path}`, import.meta.url),
)
const texts = ROOTS.flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .map((file) => readFileSync(new URL(file, root), 'utf8')),
)
const SEED = 20_261_121
const ROUNDS = 600
const PIECES = [
  'null',
  '[]',
  '{}',
  '~',
  ': ',
  '- ',
  '\n',
  '"',
  '0',
  '-1',
  '1e999',
  '.nan',
  '&a ',
  '*a',
  '!!binary ',
  '{{.window}}',
  '\u0000',
  '\uD800',
  '支',
  'true',
]

/** Mulberry32: small, seeded, good enough to choose places. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`${ROUNDS} damaged documents, seed ${SEED}`, () => {
  const next = random(SEED)
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(next() * items.length)] as Item
  let refused = 0
  for (let round = 0; round < ROUNDS; round++) {
    let text = pick(texts)
    for (let damage = 0; damage < 1 + Math.floor(next() * 3); damage++) {
      const at = Math.floor(next() * text.length)
      const length = Math.floor(next() * 12)
      text = text.slice(0, at) + (next() < 0.6 ? pick(PIECES) : '') + text.slice(at + length)
    }
    const { objects, definitions, problems } = readSlos([{ file: 'f', text }], { isStrict: next() < 0.5 })
    const errors = problems.filter(({ severity }) => severity === 'error')
    if (errors.length > 0) {
      refused++
      expect([objects.length, definitions.size], text).toEqual([0, 0])
    }
    for (const { line, remedy, message } of problems) {
      expect(line, text).toBeGreaterThanOrEqual(1)
      expect(line, text).toBeLessThanOrEqual(text.split('\n').length)
      expect(remedy, text).toMatch(/\w/)
      expect(message.length, text).toBeLessThan(1000)
    }
  }
  expect(refused).toBeGreaterThan(ROUNDS / 4)
})
