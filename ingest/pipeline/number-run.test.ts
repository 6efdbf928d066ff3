import { describe, expect, test } from 'vitest'
import { random } from '../../test/support/otlp.ts'
import { mayBeNumber, mayHoldNumber } from './number-run.ts'

const holds = (text: string) => {
  const bytes = Buffer.from(`9${text}9`)
  return mayHoldNumber(bytes, 1, bytes.length - 1)
}

describe('what the engine may have to mask', () => {
  test.each([
    '13812345678',
    'tel:13812345678',
    '电话13812345678。',
    '+86 138 1234 5678',
    '008613812345678',
    '4111111111111111',
    '4111 1111 1111 1111',
    'card 4111-1111-1111-1111, code 12',
    '/customers/6222021234567890123/cards',
    '11010119900307123X',
    '110101199003071233',
    `${'x'.repeat(1000)}5500005555555559`,
    '0 13812345678 0',
  ])('%s', (text) => expect(holds(text)).toBe(true))
})

describe('what costs nothing more', () => {
  test.each([
    '',
    'POST /api/v1/accounts/{id}/transfers',
    '1234567890',
    '202601150007123456654321',
    '1763683200000',
    '1763683200000000000',
    '2026-01-15 10:30:00',
    '0af7651916cd43dd8448eb211c80319c',
    '99999999999',
    '12345678901234567890123',
  ])('%s', (text) => expect(holds(text)).toBe(false))
})

test('a run is found wherever it stands', () => {
  for (let before = 0; before < 30; before += 1) {
    for (let behind = 0; behind < 13; behind += 1) {
      expect(holds(`${'x'.repeat(before)}13812345678${'y'.repeat(behind)}`)).toBe(true)
    }
  }
})

test('says yes wherever the plain expression finds a shape', () => {
  const shape =
    /(?:^|[^0-9])(?:[2-6](?:[ -]?[0-9]){12,18}|(?:(?:00)?86)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}|[1-8][0-9]{16}[0-9Xx])(?:[^0-9]|$)/
  const next = random(7)
  const alphabet = '0123456789012345678901234567 -X:'
  let found = 0
  for (let round = 0; round < 20_000; round += 1) {
    const length = Math.floor(next() * 60)
    const text = Array.from({ length }, () => alphabet[Math.floor(next() * alphabet.length)]).join('')
    if (!shape.test(text)) continue
    found += 1
    expect({ text, holds: holds(text) }).toEqual({ text, holds: true })
  }
  expect(found).toBeGreaterThan(100)
})

test.each([
  { value: 200, want: false },
  { value: 1_763_683_200_000, want: false },
  { value: 1.7636832e18, want: false },
  { value: 9_000_000_000_000_000, want: false },
  { value: 13_812_345_678, want: true },
  { value: 4_111_111_111_111_111, want: true },
  { value: 6.2220212345678e18, want: true },
  { value: 110_101_199_003_071_230, want: true },
])('the integer $value: $want', ({ value, want }) => expect(mayBeNumber(value)).toBe(want))
