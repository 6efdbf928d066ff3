import { describe, expect, test } from 'vitest'
import { detect, type DetectorSeries } from './detect.ts'
import { findOnset } from './onset.ts'

const MINUTES = 120

function series(parts: {
  readonly requests?: (minute: number) => number
  readonly bad?: (minute: number) => number
  readonly slow?: (minute: number) => number
}): DetectorSeries {
  const column = (of: ((minute: number) => number) | undefined, usual: number): Float64Array =>
    Float64Array.from({ length: MINUTES }, (_, minute) => of?.(minute) ?? usual)
  return {
    stepMs: 60_000,
    startMs: 0,
    requests: column(parts.requests, 200),
    bad: column(parts.bad, 0),
    slow: column(parts.slow, 8),
  }
}

const last = (minutes: number) => (minute: number) => minute >= MINUTES - minutes

describe('detector', () => {
  test.each([
    { name: 'nothing happens', of: series({}), want: [] },
    {
      name: 'errors that last five minutes are found, since the minute they began',
      of: series({ bad: (minute) => (last(5)(minute) ? 20 : 0) }),
      want: [{ measure: 'errors', startMs: (MINUTES - 5) * 60_000 }],
    },
    {
      name: 'slowness is found',
      of: series({ slow: (minute) => (last(5)(minute) ? 90 : 8) }),
      want: [{ measure: 'latency' }],
    },
    {
      name: 'a tiny cohort is found when enough has come together',
      of: series({
        requests: () => 1,
        bad: (minute) => (last(40)(minute) && minute % 3 === 0 ? 1 : 0),
        slow: () => 0,
      }),
      want: [{ measure: 'errors' }],
    },
    {
      name: 'a minute of errors while pods start is none',
      of: series({ bad: (minute) => (minute === MINUTES - 1 || minute === MINUTES - 2 ? 30 : 0) }),
      want: [],
    },
    {
      name: 'errors that went away are none',
      of: series({ bad: (minute) => (minute >= MINUTES - 15 && minute < MINUTES - 8 ? 20 : 0) }),
      want: [],
    },
    {
      name: 'twice the traffic with the same ratio is none',
      of: series({
        requests: (minute) => (last(10)(minute) ? 400 : 200),
        bad: (minute) => (last(10)(minute) ? 2 : 1),
        slow: (minute) => (last(10)(minute) ? 16 : 8),
      }),
      want: [],
    },
    {
      name: 'errors that always come in clumps are none',
      of: series({ bad: (minute) => (minute % 20 < 4 ? 12 : 0) }),
      want: [],
    },
    {
      name: 'requests that stay away are found',
      of: series({ requests: (minute) => (last(4)(minute) ? 20 : 200), slow: () => 0 }),
      want: [{ measure: 'requests_lost' }],
    },
    {
      name: 'a minute of errors while pods start is none, though one failed shortly before',
      of: series({ bad: (minute) => (minute === MINUTES - 1 ? 40 : minute === MINUTES - 4 ? 1 : 0) }),
      want: [],
    },
    {
      name: 'pods of several releases that start one after the other are none',
      of: series({ bad: (minute) => ([112, 113, 118, 119].includes(minute) ? 30 : 0) }),
      want: [],
    },
    {
      name: 'the same errors in the minutes between as well are found',
      of: series({ bad: (minute) => (minute >= 112 ? 20 : 0) }),
      want: [{ measure: 'errors', startMs: 112 * 60_000 }],
    },
    {
      name: 'half of all failing is found in its first minute',
      of: series({ bad: (minute) => (last(1)(minute) ? 120 : 0) }),
      want: [{ measure: 'errors', startMs: (MINUTES - 1) * 60_000 }],
    },
    {
      name: 'half of all slow for a minute is none: caches of new pods are cold',
      of: series({ slow: (minute) => (last(1)(minute) ? 120 : 8) }),
      want: [],
    },
    {
      name: 'of little traffic nobody knows how slow it usually is',
      of: series({
        requests: () => 1,
        slow: (minute) => (minute >= 75 && minute % 9 === 0 ? 1 : 0),
      }),
      want: [],
    },
    {
      name: 'of much traffic the same share is news',
      of: series({
        requests: () => 20,
        slow: (minute) => (minute >= 75 && minute % 9 < 3 ? 7 : 0),
      }),
      want: [{ measure: 'latency' }],
    },
    {
      name: 'a series that has just begun says nothing',
      of: { ...series({}), requests: [1, 2], bad: [1, 2], slow: [0, 0] },
      want: [],
    },
  ])('$name', ({ of, want }) => {
    expect(detect(of)).toMatchObject(want)
    expect(detect(of)).toHaveLength(want.length)
  })

  test('what is gone every night at this hour is not lost', () => {
    const of = series({ requests: (minute) => (last(4)(minute) ? 20 : 200), slow: () => 0 })
    expect(detect({ ...of, requestsDayBefore: of.requests })).toEqual([])
  })
})

describe('onset', () => {
  const step = (ratio: (minute: number) => number) => ({
    requests: new Float64Array(90).fill(500),
    bad: Float64Array.from({ length: 90 }, (_, minute) => Math.round(500 * ratio(minute))),
  })

  test('the step, not the outlier before it', () => {
    const onset = findOnset(
      step((minute) => (minute >= 80 ? 0.1 : minute === 74 ? 0.05 : 0.004)),
      1000,
      1083,
      1090,
    )
    expect(onset).toMatchObject({ at: 1080, earliest: 1080, latest: 1080 })
  })

  test('a blip that went away is no onset', () => {
    const onset = findOnset(
      step((minute) => (minute >= 85 ? 0.1 : minute === 40 ? 0.3 : 0.004)),
      1000,
      1087,
      1090,
    )
    expect(onset?.at).toBe(1085)
  })

  test('nothing rises: no onset', () => {
    expect(
      findOnset(
        step(() => 0.004),
        1000,
        1087,
        1090,
      ),
    ).toBeUndefined()
  })
})
