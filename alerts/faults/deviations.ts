// Operations that deviate, as wholes and by cell, read from the counts that every insert brings: errors every ten seconds, latency every
// minute. What is coarse and cheap is asked of everything, the rest of what stays in the sieve.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { Alarm } from '../../query/faults/alarm.ts'
import { floorTo, iso, sqlSecond } from '../../query/time-range.ts'
import { BAD_MIN, BUCKETS_MIN, failsMore, isAsUsual, isSlower, usualRatio, type Lately } from './deviation.ts'
import { DETECTOR_SERIES, type Deviations } from './finding.ts'

const count = z.coerce.number()
const series = {
  service: z.string(),
  operation: z.string(),
  channel: z.string(),
  site: z.string(),
  region: z.string(),
}
const latelyBad = statement(
  new URL('./lately-bad.sql', import.meta.url),
  z.object({
    now: z.string(),
    near: z.number(),
    far: z.number(),
    bad: z.number(),
    buckets: z.number(),
    services: z.array(z.string()),
    limit: z.number(),
  }),
  z.object({
    ...series,
    system: z.string(),
    near_requests: count,
    near_bad: count,
    near_buckets: count,
    far_requests: count,
    far_bad: count,
    far_buckets: count,
  }),
)
const pairs = { services: z.array(z.string()), operations: z.array(z.string()) }
const usuallyBad = statement(
  new URL('./usually-bad.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string(), ...pairs }),
  z.object({ ...series, minute_requests: z.array(count), minute_bad: z.array(count) }),
)
const slowRange = { to: z.string(), late: z.number(), before: z.number(), requests: z.number() }
const latelySlow = statement(
  new URL('./lately-slow.sql', import.meta.url),
  z.object({ ...slowRange, ratio: z.number(), limit: z.number() }),
  z.object({ ...series, system: z.string(), late_requests: count }),
)
const latencyOf = statement(
  new URL('./latency-of.sql', import.meta.url),
  z.object({ ...slowRange, ...pairs }),
  z.object({ ...series, late_p95: z.array(count), usual_p95: count }),
)

type Series = z.output<z.ZodObject<typeof series>>
type LateRow = z.output<typeof latelyBad.row>

/** A bucket is complete enough to be judged this long after its end. */
const SETTLED_MS = 2000
const STEP_MS = 10_000
const MINUTE_MS = 60_000
const NEAR_SECONDS = 120
const FAR_SECONDS = 300
/** The hour before the last five minutes is what is usual. */
const USUAL_MS = 3_600_000
const SERIES_MAX = 300
const LATE_MINUTES = 3
const REQUESTS_MIN = 30
/** Means are pulled about by tails: the sieve lets more pass than the look at the 95th percentile. */
const SIEVE_RATIO = 1.2
const SECONDS_MAX = 5
/** What rang and has no requests any more is over after this long. */
const SILENT_MS = 15 * MINUTE_MS
/** When nothing is known of what was usual (after a restart) a ringing series counts as usual below this. */
const FORGOTTEN_RATIO = 0.01

/** @returns what deviates as of an instant, given what rings; to be asked in the order of time */
export function buildDeviations(store: Pick<Store, 'ask'>) {
  /** Usual ratios of series that ring, as they were when they began; when they were heard last. */
  const usual = new Map<string, number>()
  const heardAtMs = new Map<string, number>()
  let slowAtMs = Number.NEGATIVE_INFINITY
  const options = { lane: 'heavy', secondsMax: SECONDS_MAX } as const

  const lately = async (toMs: number, services: readonly string[], least: number) =>
    store.ask(
      latelyBad,
      {
        now: sqlSecond(toMs),
        near: NEAR_SECONDS,
        far: FAR_SECONDS,
        bad: least,
        buckets: least === 0 ? 0 : BUCKETS_MIN,
        services: [...services],
        limit: services.length === 0 ? SERIES_MAX : 100 * SERIES_MAX,
      },
      options,
    )

  async function failing(toMs: number, ringing: ReadonlySet<string>): Promise<Alarm[]> {
    const rows = (await lately(toMs, [], BAD_MIN)).filter((row) => !ringing.has(seriesOf('errors', row)))
    if (rows.length === 0) return []
    const usualToMs = floorTo(toMs - FAR_SECONDS * 1000, MINUTE_MS)
    const range = { from: sqlSecond(usualToMs - USUAL_MS), to: sqlSecond(usualToMs) }
    const before = await store.ask(usuallyBad, { ...range, ...pairsOf(rows) }, options)
    // The operation as a whole, and its cell without names, come under one name: the whole has more.
    const pasts = new Map(
      before
        .toSorted((a, b) => total(a.minute_requests) - total(b.minute_requests))
        .map((row) => [keyOf(row), { requests: row.minute_requests, bad: row.minute_bad }] as const),
    )
    return withoutTwins(rows).flatMap((row) => {
      const past = pasts.get(keyOf(row)) ?? { requests: [], bad: [] }
      if (!failsMore(latelyOf(row), past)) return []
      usual.set(seriesOf('errors', row), usualRatio(past))
      return [alarmOf('errors', row, toMs)]
    })
  }

  async function slowing(toMs: number, ringing: ReadonlySet<string>): Promise<Deviations> {
    const range = { to: sqlSecond(toMs), late: LATE_MINUTES, before: 60, requests: REQUESTS_MIN }
    const sieved = await store.ask(latelySlow, { ...range, ratio: SIEVE_RATIO, limit: SERIES_MAX }, options)
    const rung = [...ringing].filter((name) => name.startsWith(prefixOf('latency')))
    const of =
      sieved.length === 0 ? [] : await store.ask(latencyOf, { ...range, ...pairsOf(sieved) }, options)
    const figures = new Map(of.map((row) => [keyOf(row), row]))
    const slower = withoutTwins(sieved).filter((row) => {
      const found = figures.get(keyOf(row))
      return found !== undefined && isSlower(found.late_p95, found.usual_p95, LATE_MINUTES)
    })
    const still = new Set(sieved.map((row) => seriesOf('latency', row)))
    return {
      begun: slower
        .filter((row) => !ringing.has(seriesOf('latency', row)))
        .map((row) => alarmOf('latency', row, toMs)),
      // What the sieve lets fall takes as long as it did; what it did becomes the new usual within an hour.
      ended: rung.filter((name) => !still.has(name)).map((name) => ({ series: name, atMs: toMs })),
    }
  }

  /** Errors that ring and are as usual again, or have gone silent. */
  async function over(toMs: number, ringing: ReadonlySet<string>): Promise<Deviations['ended']> {
    const names = [...ringing].filter((name) => name.startsWith(prefixOf('errors')))
    if (names.length === 0) return []
    const services = [...new Set(names.map((name) => serviceOf(name)))].toSorted()
    const rows = await lately(toMs, services, 0)
    const found = new Map(withoutTwins(rows).map((row) => [seriesOf('errors', row), row]))
    return names.flatMap((name) => {
      const row = found.get(name)
      if (row !== undefined) heardAtMs.set(name, toMs)
      const silentMs = toMs - (heardAtMs.get(name) ?? toMs)
      if (!heardAtMs.has(name)) heardAtMs.set(name, toMs)
      const isOver =
        row === undefined
          ? silentMs >= SILENT_MS
          : isAsUsual(latelyOf(row), usual.get(name) ?? FORGOTTEN_RATIO)
      if (!isOver) return []
      usual.delete(name)
      heardAtMs.delete(name)
      return [{ series: name, atMs: toMs }]
    })
  }

  return async (nowMs: number, ringing: ReadonlySet<string>): Promise<Deviations> => {
    const toMs = floorTo(nowMs - SETTLED_MS, STEP_MS)
    const begun = await failing(toMs, ringing)
    const ended = await over(toMs, ringing)
    const minuteMs = floorTo(toMs, MINUTE_MS)
    if (minuteMs === slowAtMs) return { begun, ended }
    slowAtMs = minuteMs
    const slow = await slowing(minuteMs, ringing)
    return { begun: [...begun, ...slow.begun], ended: [...ended, ...slow.ended] }
  }
}

const namesOf = ({ service, operation, channel, site, region }: Series) => [
  service,
  operation,
  channel,
  site,
  region,
]
const keyOf = (row: Series) => JSON.stringify(namesOf(row))
const prefixOf = (measure: Alarm['measure']) => `${DETECTOR_SERIES}${measure}/`
const seriesOf = (measure: Alarm['measure'], row: Series) => `${prefixOf(measure)}${keyOf(row)}`
const serviceOf = (name: string) =>
  (JSON.parse(name.slice(prefixOf('errors').length)) as readonly [string])[0]
const total = (counts: readonly number[]) => counts.reduce((sum, one) => sum + one, 0)

const latelyOf = (row: LateRow): Lately => ({
  nearRequests: row.near_requests,
  nearBad: row.near_bad,
  nearBuckets: row.near_buckets,
  farRequests: row.far_requests,
  farBad: row.far_bad,
  farBuckets: row.far_buckets,
})

/** The first of each name: those with most requests come first, and the whole has more than its cell without names. */
function withoutTwins<Row extends Series>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.toReversed().map((row) => [keyOf(row), row])).values()].toReversed()
}

function pairsOf(rows: readonly Series[]) {
  const distinct = [
    ...new Map(rows.map((row) => [JSON.stringify([row.service, row.operation]), row])).values(),
  ]
  return {
    services: distinct.map(({ service }) => service),
    operations: distinct.map(({ operation }) => operation),
  }
}

function alarmOf(
  measure: 'errors' | 'latency',
  row: Series & { readonly system: string },
  atMs: number,
): Alarm {
  const { service, operation, channel, site, region, system } = row
  const name = seriesOf(measure, row)
  return {
    key: `${name}@${iso(atMs)}`,
    series: name,
    origin: 'detector',
    name: '',
    measure,
    place: { service, operation, txnCode: '', channel, site, region, branch: '' },
    system: system === '' ? undefined : system,
    atMs,
  }
}
