import { describe, expect, test } from 'vitest'
import { formatPageState, parsePageState, parseTraceId } from './page-state.ts'

describe('page state', () => {
  test('an empty URL is the default view', () => {
    expect(parsePageState('')).toEqual({
      service: undefined,
      from: '-15m',
      to: 'now',
      trace: undefined,
      language: undefined,
      slo: undefined,
      objective: 0,
      group: '',
      allSlos: false,
      find: '',
      fault: undefined,
      release: undefined,
    })
    expect(formatPageState(parsePageState(''))).toBe('')
  })

  test('what the URL says comes back unchanged', () => {
    const search =
      '?service=%3Cimg+src%3Dx%3E%2F%26&from=2026-11-20T02%3A00%3A00%2B08%3A00&to=-5m&trace=abc&lang=en'
    expect(formatPageState(parsePageState(search))).toBe(search)
  })

  test('the SLO that is open, of which objective and group, and how its list is narrowed', () => {
    const search = '?slo=a&objective=2&group=%5B%220531%22%5D&slos=all&find=core+pay'
    expect(parsePageState(search)).toMatchObject({
      slo: 'a',
      objective: 2,
      group: '["0531"]',
      find: 'core pay',
    })
    expect(formatPageState(parsePageState(search))).toBe(search)
    expect(parsePageState('?slo=a&objective=-1').objective).toBe(0)
  })

  test('the fault and the release that are open', () => {
    const search = '?fault=slo%3Atransfer%2F1&release=r%261'
    expect(parsePageState(search)).toMatchObject({ fault: 'slo:transfer/1', release: 'r&1' })
    expect(formatPageState(parsePageState(search))).toBe(search)
  })

  test.each(['yesterday', '-15', '15m', '2026-11-20', "now'", '-1234567m'])(
    'from=%s falls back to the default range',
    (from) => {
      expect(parsePageState(`?from=${encodeURIComponent(from)}`).from).toBe('-15m')
    },
  )
})

describe('trace id', () => {
  const id = '0af7651916cd43dd8448eb211c80319c'
  test.each([
    { name: 'plain', pasted: id, want: id },
    { name: 'upper case with spaces around', pasted: `  ${id.toUpperCase()}\n`, want: id },
    { name: 'a traceparent header', pasted: `traceparent: 00-${id}-b7ad6b7169203331-01`, want: id },
    { name: 'as a UUID', pasted: '0af76519-16cd-43dd-8448-eb211c80319c', want: id },
    { name: 'a span id is none', pasted: 'b7ad6b7169203331', want: undefined },
    { name: 'other text is none', pasted: '../../etc', want: undefined },
  ])('$name', ({ pasted, want }) => {
    expect(parseTraceId(pasted)).toBe(want)
  })
})
