import { describe, expect, test } from 'vitest'
import { type Span, traceTree } from './trace-tree.ts'

function span(spanId: string, parentSpanId: string | null, startAt: string, durationMs = 1): Span {
  return {
    spanId,
    parentSpanId,
    service: 's',
    version: '1',
    site: '',
    name: spanId,
    kind: 'SERVER',
    startAt: `2026-11-20T10:00:00${startAt}Z`,
    durationMs,
    outcome: 'ok',
    statusCode: 'UNSET',
    statusMessage: '',
    attributes: {},
    resource: {},
    events: [],
  }
}

const shape = (spans: Span[]) =>
  traceTree(spans).rows.map((row) => `${'-'.repeat(row.depth)}${row.span.spanId}${row.orphan ? '?' : ''}`)

describe('trace tree', () => {
  test('children follow their parent in the order they began, to the nanosecond', () => {
    expect(
      shape([
        span('c', 'a', '.000000002'),
        span('b', 'a', '.000000001'),
        span('d', 'b', '.5'),
        span('a', null, ''),
      ]),
    ).toEqual(['a', '-b', '--d', '-c'])
  })

  test('offsets and the whole duration are told in milliseconds', () => {
    const tree = traceTree([span('a', null, '.100', 10), span('b', 'a', '.1045', 20)])
    expect(tree.rows.map((row) => row.offsetMs)).toEqual([0, 4.5])
    expect(tree.durationMs).toBeCloseTo(24.5)
  })

  test('a span whose parent is not stored is a root and says so', () => {
    expect(shape([span('b', 'lost', '.1'), span('a', null, '')])).toEqual(['a', 'b?'])
  })

  test('circles and self-parents appear once', () => {
    expect(shape([span('a', 'b', '.1'), span('b', 'a', '.2'), span('c', 'c', '.3')])).toEqual([
      'a?',
      '-b',
      'c?',
    ])
  })

  test('spans with the same id are all kept', () => {
    expect(shape([span('a', null, '.1'), span('a', null, '.2')])).toEqual(['a', 'a'])
  })

  test('a very deep trace does not exhaust the stack', () => {
    const spans = Array.from({ length: 20_000 }, (_, index) =>
      span(`s${index}`, index === 0 ? null : `s${index - 1}`, ''),
    )
    expect(traceTree(spans).rows.at(-1)?.depth).toBe(19_999)
  })

  test('no spans make an empty tree', () => {
    expect(traceTree([])).toEqual({ rows: [], durationMs: 0, startAt: undefined })
  })
})
