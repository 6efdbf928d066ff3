import { describe, expect, test } from 'vitest'
import { play, READY_MINUTE, READY_MS } from '../../test/support/verdict-traffic.ts'
import { releaseEffect } from './effect.ts'

const MINUTE_MS = 60_000

describe('what a release cost', () => {
  test('a harmless one next to nothing', () => {
    const effect = releaseEffect(play({ minutes: 60, perMinute: 200 }))
    expect(effect?.excessRequests).toBeLessThan(40)
    expect(effect).toMatchObject({ method: 'concurrent' })
  })

  test('the requests that were added, from the first bad minute to the end of the last', () => {
    const effect = releaseEffect(
      play({
        minutes: 60,
        perMinute: 200,
        added: (minute) => ({ system: minute >= 10 && minute < 30 ? 0.2 : 0 }),
      }),
    )
    // A fifth of a fifth of 8 × 200 requests, for twenty minutes.
    expect(effect?.excessRequests).toBeGreaterThan(0.9 * 1280)
    expect(effect?.excessRequests).toBeLessThan(1.1 * 1280)
    expect(effect?.badMinutes).toBeGreaterThanOrEqual(20)
    expect(effect?.worseSinceMs).toBeLessThanOrEqual(READY_MS + 10 * MINUTE_MS)
    expect(effect?.recoveredAtMs).toBeGreaterThanOrEqual(READY_MS + 30 * MINUTE_MS)
  })

  test('one that lasts has no end', () => {
    const effect = releaseEffect(play({ minutes: 30, perMinute: 200, added: { system: 0.2 } }))
    expect(effect?.recoveredAtMs).toBeUndefined()
    expect(effect?.worseSinceMs).toBe(READY_MS + MINUTE_MS)
  })

  test('nobody is exposed any more: it is over', () => {
    const traffic = play({ minutes: 30, perMinute: 200, added: { system: 0.2 } })
    const { rows } = traffic.contrast
    const requests = rows.requests.map((value, place) =>
      rows.touch[place] === 2 && (rows.minute[place] ?? 0) >= READY_MINUTE + 20 ? 0 : value,
    )
    const systemErrors = rows.systemErrors.map((value, place) => (requests[place] === 0 ? 0 : value))
    const ended = { ...traffic, contrast: { ...traffic.contrast, rows: { ...rows, requests, systemErrors } } }
    expect(releaseEffect(ended)).toMatchObject({ badMinutes: 19, recoveredAtMs: READY_MS + 20 * MINUTE_MS })
  })

  test('a scope is set against itself before and others meanwhile', () => {
    const effect = releaseEffect(
      play({
        minutes: 60,
        scope: [0],
        weight: 1,
        perMinute: 200,
        ofCell: (cell) => ({ system: cell === 0 ? 0.05 : 0 }),
        added: { system: 0.1 },
      }),
    )
    expect(effect).toMatchObject({ method: 'difference-in-differences' })
    // A tenth of 59 minutes of 2 × 200 requests.
    expect(effect?.excessRequests).toBeGreaterThan(0.8 * 2360)
    expect(effect?.excessRequests).toBeLessThan(1.2 * 2360)
  })

  test('a version that never served has none', () => {
    expect(releaseEffect(play({ minutes: 5, release: { readyAtMs: undefined } }))).toBeUndefined()
  })
})
