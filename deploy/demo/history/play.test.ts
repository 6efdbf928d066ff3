import { describe, expect, test } from 'vitest'
import { bankWorld } from './bank-world.ts'
import { castOf, type Cast } from './cast.ts'
import { play } from './play.ts'
import { buildMetricWriter } from './metrics.ts'
import { buildRequestWriter } from './rollups.ts'
import { DAY_MS, isMonthEnd, isWeekend, shanghaiMidnight, trafficShare } from './shape.ts'
import { buildSpanWriter } from './spans.ts'
import { walkTraces } from '../../../ingest/pipeline/walk.ts'
import { present } from '../../../test/support/present.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
// A Thursday at noon in Shanghai.
const END_MS = Date.UTC(2026, 0, 15, 4)
const END = END_MS / MINUTE_MS
const world = bankWorld({ peakPerSecond: 20, oneIn: 16 })
const cast = castOf(world, END_MS)

const WRITERS = {
  spans: (of: Cast, seed: number) => buildSpanWriter(of, seed),
  requests: (of: Cast, seed: number) => {
    const write = buildRequestWriter(of, seed)
    return (from: number, to: number) => ({ bytes: write(from, to).body })
  },
  metrics: (of: Cast, seed: number) => buildMetricWriter(of, seed),
}

describe.each(Object.entries(WRITERS))('%s', (_name, build) => {
  test('the same seed gives the same bytes, whatever was made before', () => {
    const first = build(cast, 7)
    first(END - 90, END - 40)
    const again = build(castOf(bankWorld({ peakPerSecond: 20, oneIn: 16 }), END_MS), 7)
    expect(first(END - 30, END).bytes.equals(again(END - 30, END).bytes)).toBe(true)
  })

  test('another seed gives other bytes', () => {
    expect(build(cast, 7)(END - 10, END).bytes.equals(build(cast, 8)(END - 10, END).bytes)).toBe(false)
  })

  test('any world: of one site and one service', () => {
    const tiny = castOf(
      {
        ...world,
        sites: ['one'],
        services: [{ ...present(world.services[0]), name: 'till', system: 'shop', version: '1' }],
        channels: [
          { name: 'desk', entry: 'till', openShare: 1, shutShare: 1, from: 'branch', clientVersions: [] },
        ],
        journeys: [
          { txnCode: 'sale', share: 1, entry: { method: 'POST', route: '/sales', workMs: 5, code: 'OK' } },
        ],
        rollouts: [],
        incidents: [],
        oneIn: 1,
      },
      END_MS,
    )
    expect(build(tiny, 1)(END - 5, END).bytes.length).toBeGreaterThan(500)
  })
})

test('a request holds whole traces: every parent is there, every id once', () => {
  const { bytes, spans } = buildSpanWriter(cast, 1)(END - 20, END)
  const walked = walkTraces(bytes, { fromMs: 0, toMs: END_MS + DAY_MS })
  expect(walked).toMatchObject({ kind: 'walked', spans, outOfRange: 0, hasLists: false, hasNumbers: false })
  const ids = new Set<string>()
  const parents: string[] = []
  play(cast, 1, END - 20, END, {
    minute: () => undefined,
    trace: () => undefined,
    server(_step, _resource, startNs, endNs, id, parent) {
      ids.add(`${id.high}/${id.low}`)
      if (parent !== undefined) parents.push(`${parent.high}/${parent.low}`)
      expect(endNs).toBeGreaterThan(startNs)
    },
    client(_step, _resource, _startNs, _endNs, id, parent) {
      ids.add(`${id.high}/${id.low}`)
      parents.push(`${parent.high}/${parent.low}`)
    },
  })
  expect(ids.size).toBe(spans)
  expect(parents.filter((parent) => !ids.has(parent))).toEqual([])
})

test('trace ids differ over a whole week, and are such as a sampler of one in 16 keeps', () => {
  const ids = new Set<string>()
  const wrong: number[] = []
  let traces = 0
  play(cast, 1, END - 7 * 1440, END, {
    minute: () => undefined,
    trace({ id }) {
      traces += 1
      ids.add(id.join('/'))
      // The third word's second byte begins the 56 bits that decide.
      if (((id[2] >>> 16) & 0xf0) !== 0xf0) wrong.push(id[2])
    },
    server: () => undefined,
    client: () => undefined,
  })
  expect(traces).toBeGreaterThan(300_000)
  expect(ids.size).toBe(traces)
  expect(wrong).toEqual([])
})

type Tally = { total: number; readonly of: Map<string, number> }

/** Server spans of a stretch, by what `key` says. */
function tally(
  fromMs: number,
  toMs: number,
  key: (service: string, version: string, status: number) => string,
) {
  const result: Tally = { total: 0, of: new Map() }
  play(cast, 1, fromMs / MINUTE_MS, toMs / MINUTE_MS, {
    minute: () => undefined,
    trace: () => undefined,
    server(_step, resource, _startNs, _endNs, _id, _parent, answer) {
      const { service, version } = present(cast.resources[resource])
      const name = key(service, version, present(cast.answers[answer]).status)
      result.total += 1
      result.of.set(name, (result.of.get(name) ?? 0) + 1)
    },
    client: () => undefined,
  })
  return result
}

const at = (daysAgo: number, hour: number) =>
  shanghaiMidnight(END_MS) - daysAgo * DAY_MS + Math.round(hour * HOUR_MS)

test('the hours of five weeks follow the shape', () => {
  let beyond = 0
  let hours = 0
  for (let fromMs = at(34, 0); fromMs < at(0, 0); fromMs += 7 * HOUR_MS) {
    let traces = 0
    let expected = 0
    play(cast, 1, fromMs / MINUTE_MS, (fromMs + HOUR_MS) / MINUTE_MS, {
      minute: (minute) => void (expected += (20 * 60 * trafficShare(minute * MINUTE_MS)) / 16),
      trace: () => void (traces += 1),
      server: () => undefined,
      client: () => undefined,
    })
    hours += 1
    // Three standard deviations of a Poisson count.
    if (Math.abs(traces - expected) > 3 * Math.sqrt(expected)) beyond += 1
  }
  expect(hours).toBeGreaterThan(100)
  expect(beyond).toBeLessThanOrEqual(2)
})

test('weekends are quieter, month ends busier', () => {
  const noon = (day: number) => Date.UTC(2026, 0, day, 4)
  expect([isWeekend(noon(16)), isWeekend(noon(17)), isWeekend(noon(18))]).toEqual([false, true, true])
  expect([isMonthEnd(noon(30)), isMonthEnd(noon(31)), isMonthEnd(noon(32)), isMonthEnd(noon(33))]).toEqual([
    false,
    true,
    true,
    false,
  ])
  expect(trafficShare(noon(17)) / trafficShare(noon(16))).toBeCloseTo(0.7)
  expect(trafficShare(Date.UTC(2026, 2, 31, 4)) / trafficShare(Date.UTC(2026, 2, 30, 4))).toBeCloseTo(1.3)
  // 16:30 UTC is already the next day in Shanghai.
  expect(isWeekend(Date.UTC(2026, 0, 16, 16, 30))).toBe(true)
})

test('an incident is seen where it was and while it lasted', () => {
  const failures = (service: string, status: number) => `${service} ${status >= 500 ? 'failed' : 'ok'}`
  const byFailure = (one: string, _version: string, status: number) => failures(one, status)
  const during = tally(at(6, 9.5), at(6, 10.25), byFailure)
  const before = tally(at(6, 8.5), at(6, 9.25), byFailure)
  const ratio = ({ of }: Tally, service: string) =>
    (of.get(`${service} failed`) ?? 0) / ((of.get(`${service} failed`) ?? 0) + (of.get(`${service} ok`) ?? 0))
  expect(ratio(during, 'core-adapter')).toBeGreaterThan(0.1)
  expect(ratio(during, 'ledger')).toBeGreaterThan(0.1)
  expect(ratio(during, 'limit')).toBe(0)
  expect(ratio(before, 'core-adapter')).toBeLessThan(0.01)
})

test('a rollout goes by its stages, and the version that failed is taken back', () => {
  const versions = (service: string, fromMs: number, toMs: number) => {
    const { of } = tally(fromMs, toMs, (one, version, status) =>
      one === service ? `${version}${status >= 500 ? ' failed' : ''}` : '',
    )
    const counts = [...of].filter(([name]) => name !== '')
    const share = (part: string) => sum(counts.filter(([name]) => name.startsWith(part))) / sum(counts)
    const failing = (version: string) =>
      (of.get(`${version} failed`) ?? 0) / sum(counts.filter(([name]) => name.startsWith(version)))
    return { share, failing }
  }
  const sum = (counts: readonly (readonly [string, number])[]) =>
    counts.reduce((total, [, count]) => total + count, 0)
  expect(versions('mobile-bff', at(4, 8), at(4, 10)).share('9.0.4')).toBe(1)
  expect(versions('mobile-bff', at(4, 10), at(4, 14)).share('9.1.0')).toBeCloseTo(0.1, 1)
  expect(versions('mobile-bff', at(4, 14), at(4, 18)).share('9.1.0')).toBeCloseTo(0.5, 1)
  expect(versions('mobile-bff', at(4, 21), at(4, 22)).share('9.1.0')).toBe(1)
  const bad = versions('limit', at(2, 10.25), at(2, 11))
  expect(bad.share('1.9.1')).toBeCloseTo(0.25, 1)
  expect(bad.failing('1.9.1')).toBeGreaterThan(0.3)
  expect(bad.failing('1.9.0')).toBe(0)
  expect(versions('limit', at(2, 11), at(2, 12)).share('1.9.0')).toBe(1)
})
