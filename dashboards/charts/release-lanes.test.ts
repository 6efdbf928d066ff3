import { describe, expect, test } from 'vitest'
import { releaseItem } from '../../test/support/release-items.ts'
import { releaseLanes } from './release-lanes.ts'

const at = (minute: number) => new Date(minute * 60_000).toISOString()
const axis = { fromMs: 0, toMs: 100 * 60_000, widthPx: 400 }
const release = (id: string, change: Parameters<typeof releaseItem>[0] = {}) => releaseItem({ id, ...change })

describe('releases on a time axis', () => {
  test('stand where they began to serve, or else where they were told', () => {
    const { own } = releaseLanes(
      [
        release('told', { startedAt: at(10), readyAt: null }),
        release('serves', { startedAt: at(20), readyAt: at(60) }),
      ],
      'transfer',
      axis,
    )
    expect(own.markers.map(({ at: place, releases }) => [place, releases[0]?.id])).toEqual([
      [0.1, 'told'],
      [0.6, 'serves'],
    ])
  })

  test('of other services stand in a lane of their own, outside of the axis nowhere', () => {
    const lanes = releaseLanes(
      [
        release('own', { readyAt: at(50) }),
        release('other', { readyAt: at(50), service: 'account' }),
        release('before', { readyAt: at(-1) }),
        release('after', { readyAt: at(101) }),
        release('unreadable', { readyAt: 'soon' }),
      ],
      'transfer',
      axis,
    )
    expect(lanes.own.markers.flatMap(({ releases }) => releases.map(({ id }) => id))).toEqual(['own'])
    expect(lanes.others.markers.flatMap(({ releases }) => releases.map(({ id }) => id))).toEqual(['other'])
  })

  test('that would cover each other are one marker, and none is lost among hundreds', () => {
    // 4 px a minute: alone they need 18 of them, several together 40.
    const sizes = (minutes: readonly number[]) =>
      releaseLanes(
        minutes.map((minute) => release(`r${minute}`, { readyAt: at(minute) })),
        'transfer',
        axis,
      ).own.markers.map(({ releases }) => releases.length)
    expect(sizes([0, 1, 2, 3, 20])).toEqual([4, 1])
    expect(sizes([10, 15, 20])).toEqual([1, 1, 1])
    // The last two become one, which then reaches the first.
    expect(sizes([10, 15, 16])).toEqual([3])
    const many = Array.from({ length: 500 }, (_, place) => release(`m${place}`, { readyAt: at(place / 5) }))
    const { markers } = releaseLanes(many, 'transfer', axis).own
    expect(markers.length).toBeLessThanOrEqual(11)
    expect(markers.reduce((sum, { releases }) => sum + releases.length, 0)).toBe(500)
  })

  test.each([
    { name: 'ended', ready: 20, end: 50, want: { start: 0.2, width: 0.3, isCutLeft: false, isOpen: false } },
    {
      name: 'still open',
      ready: 20,
      end: null,
      want: { start: 0.2, width: 0.8, isCutLeft: false, isOpen: true },
    },
    {
      name: 'begun before',
      ready: -20,
      end: 50,
      want: { start: 0, width: 0.5, isCutLeft: true, isOpen: false },
    },
    { name: 'over before', ready: -20, end: -10, want: undefined },
  ])('a gray release is a stretch from first traffic to its end: $name', ({ ready, end, want }) => {
    const gray = release('gray', {
      readyAt: at(ready),
      endedAt: end === null ? null : at(end),
      scope: {
        selectors: [{ attribute: 'branch', match: 'prefix', values: ['0531-'] }],
        weightPercent: null,
      },
    })
    const found = releaseLanes([gray], 'transfer', axis).own.stretches[0]
    if (want === undefined) expect(found).toBeUndefined()
    else expect(found).toMatchObject(want)
  })

  test('a release for everybody is no stretch, nor one that does not serve', () => {
    const whole = release('whole', { readyAt: at(10), scope: { selectors: [], weightPercent: 100 } })
    const asked = release('asked', { readyAt: null, scope: { selectors: [], weightPercent: 5 } })
    expect(releaseLanes([whole, asked], 'transfer', axis).own.stretches).toEqual([])
  })

  test('an axis without length has nothing on it', () => {
    expect(
      releaseLanes([release('one')], 'transfer', { fromMs: 5, toMs: 5, widthPx: 400 }).own.markers,
    ).toEqual([])
  })
})
