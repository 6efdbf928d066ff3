import { describe, expect, test } from 'vitest'
import { dueCycles } from './cycles.ts'
import { missingGroups, trackGroups, type GroupTrack } from './missing-groups.ts'

const MINUTE = 60_000

describe('2.12 a missed cycle is counted', () => {
  test.each([
    { name: 'in time', judged: 10, now: 11 * MINUTE + 2000, want: [[11], 0, 0] },
    { name: 'not due yet', judged: 10, now: 11 * MINUTE + 1999, want: [[], 0, 0] },
    { name: 'three late', judged: 10, now: 14 * MINUTE, want: [[11, 12, 13], 2, 0] },
    { name: 'a clock set back', judged: 10, now: 5 * MINUTE, want: [[], 0, 0] },
    { name: 'the first', judged: undefined, now: 14 * MINUTE, want: [[13], 0, 0] },
    {
      name: 'more than is judged one by one',
      judged: 10,
      now: 20 * MINUTE + 2000,
      want: [[16, 17, 18, 19, 20], 9, 5],
    },
  ])('$name', ({ judged, now, want }) => {
    const cycles = dueCycles(judged === undefined ? undefined : judged * MINUTE, now, MINUTE, 2000, 5)
    expect([cycles.instantsMs.map((ms) => ms / MINUTE), cycles.missed, cycles.leftOut]).toEqual(want)
  })
})

test('8.11 a group that disappears is missing after two cycles, the others are not touched', () => {
  const groups = new Set(['east', 'south', 'west'])
  let track: GroupTrack = []
  const cycle = (seen: ReadonlySet<string>) => {
    const result = trackGroups(track, seen)
    track = JSON.parse(JSON.stringify(result.track)) as GroupTrack
    return result.changes
  }
  expect(cycle(groups)).toEqual([])
  expect(cycle(new Set(['east', 'south']))).toEqual([])
  expect(cycle(new Set(['east', 'south']))).toEqual([{ group: 'west', to: 'missing' }])
  expect(cycle(new Set(['east', 'south']))).toEqual([])
  expect(missingGroups(track)).toEqual(['west'])
  expect(cycle(groups)).toEqual([{ group: 'west', to: 'present' }])
  expect(cycle(new Set([...groups, '__proto__']))).toEqual([])
  expect(missingGroups(track)).toEqual([])
})
