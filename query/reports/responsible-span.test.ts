import { describe, expect, test } from 'vitest'
import { responsibleSpan, type Said, type SpanShape } from './responsible-span.ts'

const id = (name: string) => Buffer.from(name.padEnd(8, '.')).toString('hex')
const NONE = '0'.repeat(16)
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3]

/** `name < parent` */
const span = (line: string, kind: number | undefined, said: Said, endNs = 0n): SpanShape => {
  const [name = '', parent] = line.split(' < ')
  return {
    span: id(name),
    parent: parent === undefined ? NONE : id(parent),
    kind: kind ?? 0,
    said,
    endNs,
  }
}
const found = (spans: readonly SpanShape[]) => {
  const responsible = responsibleSpan(id('entry'), spans)
  if (responsible.kind === 'gap') return 'gap'
  return Buffer.from(responsible.span, 'hex').toString().replaceAll('.', '')
}
const entry = span('entry', SERVER, 'failed')

describe('a lost request is put down to', () => {
  test.each<{ name: string; spans: readonly SpanShape[]; want: string }>([
    {
      name: 'itself, when nothing below failed',
      spans: [entry, span('call < entry', CLIENT, 'served')],
      want: 'entry',
    },
    {
      name: 'the last one of a chain of failures',
      spans: [entry, span('call < entry', CLIENT, 'failed'), span('answer < call', SERVER, 'failed')],
      want: 'answer',
    },
    {
      name: 'the call, when nobody answered it',
      spans: [entry, span('call < entry', CLIENT, 'failed')],
      want: 'call',
    },
    {
      name: 'the deeper one of two branches, though it ended first',
      spans: [
        entry,
        span('a < entry', CLIENT, 'failed', 9n),
        span('b < entry', CLIENT, 'failed', 1n),
        span('b2 < b', SERVER, 'failed', 1n),
      ],
      want: 'b2',
    },
    {
      name: 'of two as deep the one that ended last',
      spans: [entry, span('a < entry', CLIENT, 'failed', 5n), span('b < entry', CLIENT, 'failed', 7n)],
      want: 'b',
    },
    {
      name: 'of two that are equal the smaller id, so that it is the same each time',
      spans: [entry, span('b < entry', CLIENT, 'failed', 5n), span('a < entry', CLIENT, 'failed', 5n)],
      want: 'a',
    },
    {
      name: 'whoever called in vain, not to what failed below a call that was served in the end',
      spans: [entry, span('call < entry', CLIENT, 'served'), span('answer < call', SERVER, 'failed')],
      want: 'entry',
    },
    {
      name: 'an answer that failed by its return code, though the call was served',
      spans: [
        entry,
        span('call < entry', CLIENT, 'served'),
        span('answer < call', SERVER, 'failed-by-code'),
        span('sql < answer', CLIENT, 'failed'),
      ],
      want: 'sql',
    },
    {
      name: 'nothing two served calls below, whatever its code',
      spans: [
        entry,
        span('call < entry', CLIENT, 'served'),
        span('answer < call', SERVER, 'served'),
        span('call2 < answer', CLIENT, 'served'),
        span('answer2 < call2', SERVER, 'failed-by-code'),
      ],
      want: 'entry',
    },
    {
      name: 'what failed beneath internal spans that say nothing',
      spans: [entry, span('step < entry', INTERNAL, 'nothing'), span('call < step', CLIENT, 'failed')],
      want: 'call',
    },
    {
      name: 'the entry, when internal spans below say that they were well',
      spans: [entry, span('step < entry', INTERNAL, 'served'), span('call < step', CLIENT, 'failed')],
      want: 'entry',
    },
    {
      name: 'nobody, when a parent is missing anywhere in the trace',
      spans: [entry, span('call < entry', CLIENT, 'failed'), span('alone < lost', SERVER, 'served')],
      want: 'gap',
    },
    {
      name: 'nobody, when the entry itself is missing',
      spans: [span('other', SERVER, 'failed')],
      want: 'gap',
    },
    {
      name: 'the same, when a span came twice',
      spans: [entry, span('call < entry', CLIENT, 'failed'), span('call < entry', CLIENT, 'failed')],
      want: 'call',
    },
    {
      name: 'the deepest of a circle of parents, once around',
      spans: [
        { ...entry, parent: id('b') },
        span('a < entry', CLIENT, 'failed'),
        span('b < a', SERVER, 'failed'),
      ],
      want: 'b',
    },
  ])('$name', ({ spans, want }) => {
    expect(found(spans)).toBe(want)
    expect(found(spans.toReversed())).toBe(want)
  })
})

test('a chain of a hundred thousand spans is followed in one pass', () => {
  const chain = Array.from({ length: 100_000 }, (_, at) => ({
    span: at === 0 ? id('entry') : String(at).padStart(16, 'f'),
    parent: at === 0 ? NONE : at === 1 ? id('entry') : String(at - 1).padStart(16, 'f'),
    kind: 2,
    said: 'failed' as const,
    endNs: 0n,
  }))
  expect(responsibleSpan(id('entry'), chain)).toEqual({ kind: 'span', span: '99999'.padStart(16, 'f') })
})
