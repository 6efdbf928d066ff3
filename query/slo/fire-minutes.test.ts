// When an alert fires and when it ends, minute by minute, against a table that Prometheus' promtool 2.42 made from the same
// series (target 99 %, fault at 12:00, ends 14:00, page pair 1h/5m × 13.44 of the 28-day profile, evaluated every minute).

import { describe, expect, test } from 'vitest'
import { clock, SloPlay, type Held } from '../../test/support/slo-play.ts'
import { workbook28d } from './burn-profiles.ts'
import { sloPolicy } from './slo-policy.ts'

const MINUTE = 60_000
const NOON = Date.UTC(2026, 6, 1, 12)
const policy = sloPolicy({
  objective: 0.99,
  window: { kind: 'rolling', durationMs: 28 * 86_400_000 },
  burn: { ...workbook28d, pairs: workbook28d.pairs.slice(0, 1) },
})

function play(fault: Held) {
  const healthy: Held = { good: 1000, total: 1000 }
  const one = new SloPlay(policy, NOON - 360 * MINUTE, 60)
  one.steps(360, healthy)
  one.steps(120, fault)
  one.steps(60, healthy)
  const words = one.transitions.flatMap((transition) =>
    transition.subject === 'pair' ? [{ atMs: transition.atMs, to: transition.to }] : [],
  )
  return { words, one }
}

function minutesBetween(atMs: number, hhmm: string): number {
  const [hours = 0, minutes = 0] = hhmm.split(':').map(Number)
  return Math.abs(atMs - (NOON + (hours - 12) * 60 * MINUTE + minutes * MINUTE)) / MINUTE
}

describe('2.2 fire minutes are those of promtool, one evaluation more or less', () => {
  test.each<[string, Held, string, string]>([
    ['half fails, traffic as before', { good: 500, total: 1000 }, '12:16', '14:02'],
    ['half fails, traffic drops to a tenth', { good: 50, total: 100 }, '12:47', '14:00'],
    ['14 % fail, traffic as before', { good: 860, total: 1000 }, '12:57', '13:59'],
    ['14 % fail, traffic drops to a tenth', { good: 86, total: 100 }, '12:59', '13:59'],
  ])('%s', (_name, fault, fires, lastFiring) => {
    const { words } = play(fault)
    expect(words.map(({ to }) => to)).toEqual(['firing', 'inactive'])
    const [fired, resolved] = words
    expect(minutesBetween(fired?.atMs ?? 0, fires)).toBeLessThanOrEqual(1)
    const lastMs = (resolved?.atMs ?? 0) - MINUTE
    expect(minutesBetween(lastMs, lastFiring)).toBeLessThanOrEqual(1)
  })

  test.each<[string, Held, string]>([
    ['telemetry stops', 'unmeasured', 'no-data'],
    ['nobody asks', 'empty', 'no-traffic'],
  ])('%s: no burn alert, and the state says which it is', (_name, fault, kind) => {
    const { words, one } = play(fault)
    expect(words).toEqual([])
    const told = one.transitions.filter(({ subject }) => subject === 'silence').map(({ atMs }) => clock(atMs))
    // Silence has its own alert after three slices; nobody asking has none.
    expect(told).toEqual(kind === 'no-data' ? ['12:03', '14:01'] : [])
  })
})
