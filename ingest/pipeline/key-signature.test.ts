import { expect, test } from 'vitest'
import { traceRequest } from '../../test/support/otlp.ts'
import { MOVED_KEYS } from '../store/promoted.ts'
import { mayHold } from './key-signature.ts'
import { walkTraces } from './walk.ts'

const startNs = 1_000_000_000n
const range = { fromMs: 0, toMs: 10_000 }

function marksOf(attributes: Readonly<Record<string, string>>, inEvent = false): Uint8Array {
  const event = { atNs: 1n, name: 'e', attributes }
  const span = {
    traceId: Buffer.alloc(16, 1),
    spanId: Buffer.alloc(8, 1),
    name: 'x',
    startNs,
    endNs: startNs,
    ...(inEvent ? { events: [event] } : { attributes }),
  }
  const walked = walkTraces(traceRequest([{ attributes: {}, spans: [span] }]), range)
  if (walked.kind === 'malformed') throw new Error(walked.reason)
  return walked.keys
}

test.each(MOVED_KEYS.map((key) => ({ key })))(
  'a span that holds $key is never said to be without it',
  ({ key }) => {
    expect(mayHold([marksOf({ other: 'x' }), marksOf({ first: 'a', [key]: 'b', last: 'c' })], key)).toBe(true)
  },
)

test('a key that no span holds costs no look-up', () => {
  const marks = [marksOf({ 'http.route': '/x' }), marksOf({ 'bank.channel': 'atm' })]
  expect(MOVED_KEYS.filter((key) => mayHold(marks, key))).toEqual(['bank.channel', 'http.route'])
})

test('no messages hold nothing', () => {
  expect(mayHold([], 'http.route')).toBe(false)
})
