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
const MESSAGE_MAX = 1000
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
  const wrong: { readonly what: string; readonly text: string }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    let text = pick(texts)
    for (let damage = 0; damage < 1 + Math.floor(next() * 3); damage++) {
      const at = Math.floor(next() * text.length)
      const length = Math.floor(next() * 12)
      text = text.slice(0, at) + (next() < 0.6 ? pick(PIECES) : '') + text.slice(at + length)
    }
    const { objects, definitions, problems } = readSlos([{ file: 'f', text }], { isStrict: next() < 0.5 })
    const isRefused = problems.some(({ severity }) => severity === 'error')
    refused += Number(isRefused)
    if (isRefused && objects.length + definitions.size > 0) wrong.push({ what: 'half taken', text })
    const lines = text.split('\n').length
    for (const { line, remedy = '', message } of problems)
      if (line < 1 || line > lines || !/\w/.test(remedy) || message.length > MESSAGE_MAX)
        wrong.push({ what: `${line}: ${message}; ${remedy}`, text })
  }
  expect(wrong).toEqual([])
  expect(refused).toBeGreaterThan(ROUNDS / 4)
})
