// Operations that deviate, as wholes and by cell, read from the counts that every insert brings: errors every ten seconds, lost requests
// and latency every minute. What is coarse and cheap is asked of everything, the detector of what stays in the sieve.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { detect, type DetectorSeries, type Deviation } from '../../query/blame/detect.ts'
import type { Alarm } from '../../query/faults/alarm.ts'
import { floorTo, iso, sqlSecond } from '../../query/time-range.ts'
import { isAsUsual, isSlower } from './deviation.ts'
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
    reach: z.number(),
    bad: z.number(),
    services: z.array(z.string()),
    limit: z.number(),
  }),
  z.object({ ...series, said: z.string(), asked: count, failed: count }),
)
const latelyLost = statement(
  new URL('./lately-lost.sql', import.meta.url),
  z.object({ to: z.string(), limit: z.number() }),
  z.object({ ...series, said: z.string() }),
)
const arrivals = statement(
  new URL('./arrivals.sql', import.meta.url),
  z.object({ to: z.string() }),
  z.object({ requests: count }),
)
const pairs = { services: z.array(z.string()), operations: z.array(z.string()) }
const countsOf = statement(
  new URL('./counts-of.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string(), ...pairs }),
  z.object({ ...series, places: z.array(count), counts: z.array(count), bad: z.array(count) }),
)
const slowRange = { to: z.string(), late: z.number(), before: z.number(), requests: z.number() }
const latelySlow = statement(
  new URL('./lately-slow.sql', import.meta.url),
  z.object({ ...slowRange, ratio: z.number(), limit: z.number() }),
  z.object({ ...series, said: z.string() }),
)
const latencyOf = statement(
  new URL('./latency-of.sql', import.meta.url),
  z.object({ ...slowRange, ...pairs }),
  z.object({ ...series, late_p95: z.array(count), usual_p95: count }),
)

type Series = z.output<z.ZodObject<typeof series>>
type Sieved = Series & { readonly said: string }

/** A bucket is complete enough to be judged this long after its end. */
const SETTLED_MS = 2000
const STEP_MS = 10_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** What the detector sees. */
const PAST_MS = 2 * 3_600_000
/** The sieve: every round what fails now, every minute what fails a little for longer. */
const NOW_SECONDS = 120
const LONG_SECONDS = 2700
const BAD_MIN = 4
const SERIES_MAX = 300
/** What rang is as usual when it was for so long. */
const OVER_SECONDS = 180
const LATE_MINUTES = 3
const REQUESTS_MIN = 30
/** Means are pulled about by tails: the sieve lets more pass than the look at the 95th percentile. */
const SIEVE_RATIO = 1.2
const SECONDS_MAX = 5
/** What rang and has no requests any more is over after this long; of lost requests, when they are back. */
const SILENT_MS = 15 * MINUTE_MS
/** When nothing is known of what was usual (after a restart) a ringing series counts as usual below this. */
const FORGOTTEN_RATIO = 0.01

/**
 * @param secondsMax  bound on one question
 * @returns what deviates as of an instant, given what rings; to be asked in the order of time
 */
export function buildDeviations(store: Pick<Store, 'ask'>, secondsMax = SECONDS_MAX) {
  /** Usual ratios of series that ring, as they were when they began; when they were heard last. */
  const usual = new Map<string, number>()
  const heardAtMs = new Map<string, number>()
  let minuteDoneMs = Number.NEGATIVE_INFINITY
  const options = { lane: 'blame', secondsMax } as const

  const sieve = async (toMs: number, reach: number, bad: number, services: readonly string[] = []) =>
    withoutTwins(
      await store.ask(
        latelyBad,
        {
          now: sqlSecond(toMs),
          reach,
          bad,
          services: [...services],
          limit: services.length === 0 ? SERIES_MAX : 100 * SERIES_MAX,
        },
        options,
      ),
    )

  /** Counts of series by name, all that their operations have. */
  async function countsUntil(toMs: number, rows: readonly Series[]): Promise<Map<string, DetectorSeries>> {
    const startMs = toMs - PAST_MS
    const found = await store.ask(
      countsOf,
      { from: sqlSecond(startMs), to: sqlSecond(toMs), ...pairsOf(rows) },
      options,
    )
    // The operation as a whole and its cell without names come under one name: the whole has more.
    const inOrder = found.toSorted((a, b) => total(a.counts) - total(b.counts))
    return new Map(
      inOrder.map((row) => {
        const length = PAST_MS / STEP_MS
        const requests = new Float64Array(length)
        const bad = new Float64Array(length)
        row.places.forEach((place, index) => {
          requests[place] = row.counts[index] ?? 0
          bad[place] = row.bad[index] ?? 0
        })
        // Before its first request it was not there, which is not the same as no requests.
        const first = row.places.reduce((least, place) => Math.min(least, place), length - 1)
        return [
          keyOf(row),
          {
            stepMs: STEP_MS,
            startMs: startMs + first * STEP_MS,
            requests: requests.subarray(first),
            bad: bad.subarray(first),
            slow: new Float64Array(length - first),
          },
        ] as const
      }),
    )
  }

  async function failing(
    toMs: number,
    rows: readonly Sieved[],
    ringing: ReadonlySet<string>,
  ): Promise<Alarm[]> {
    const silent = rows.filter((row) => !ringing.has(seriesOf('errors', row)))
    if (silent.length === 0) return []
    const counts = await countsUntil(toMs, silent)
    return silent.flatMap((row) => {
      const deviation = deviationOf(counts.get(keyOf(row)), 'errors')
      if (deviation === undefined) return []
      usual.set(seriesOf('errors', row), deviation.ratioBefore)
      return [alarmOf('errors', row, toMs)]
    })
  }

  async function losing(toMs: number, ringing: ReadonlySet<string>): Promise<Deviations> {
    // From nobody at all: it is Surety that is not fed, and what customers lose is not measured.
    const [arrived] = await store.ask(arrivals, { to: sqlSecond(toMs) }, options)
    if ((arrived?.requests ?? 0) === 0) return { begun: [], ended: [] }
    const rows = await store.ask(latelyLost, { to: sqlSecond(toMs), limit: SERIES_MAX }, options)
    const still = new Set(rows.map((row) => seriesOf('requests_lost', row)))
    const ended = [...ringing]
      .filter((name) => name.startsWith(prefixOf('requests_lost')) && !still.has(name))
      .map((name) => ({ series: name, atMs: toMs }))
    const silent = rows.filter((row) => !ringing.has(seriesOf('requests_lost', row)))
    if (silent.length === 0) return { begun: [], ended }
    const counts = await countsUntil(toMs, silent)
    const dayBefore = await countsUntil(toMs - DAY_MS, silent)
    const begun = silent.flatMap((row) => {
      const now = counts.get(keyOf(row))
      if (now === undefined) return []
      const past = dayBefore.get(keyOf(row))
      const requestsDayBefore = past?.requests.length === now.requests.length ? past.requests : undefined
      const given = requestsDayBefore === undefined ? now : { ...now, requestsDayBefore }
      return deviationOf(given, 'requests_lost') === undefined ? [] : [alarmOf('requests_lost', row, toMs)]
    })
    return { begun, ended }
  }

  async function slowing(toMs: number, ringing: ReadonlySet<string>): Promise<Deviations> {
    const range = { to: sqlSecond(toMs), late: LATE_MINUTES, before: 60, requests: REQUESTS_MIN }
    const asked = { ...range, ratio: SIEVE_RATIO, limit: SERIES_MAX }
    const sieved = withoutTwins(await store.ask(latelySlow, asked, options))
    // What the sieve lets fall takes as long as it did; what it did becomes the usual within an hour.
    const still = new Set(sieved.map((row) => seriesOf('latency', row)))
    const ended = [...ringing]
      .filter((name) => name.startsWith(prefixOf('latency')) && !still.has(name))
      .map((name) => ({ series: name, atMs: toMs }))
    const silent = sieved.filter((row) => !ringing.has(seriesOf('latency', row)))
    if (silent.length === 0) return { begun: [], ended }
    const rows = await store.ask(latencyOf, { ...range, ...pairsOf(silent) }, options)
    const figures = new Map(rows.map((row) => [keyOf(row), row]))
    const begun = silent
      .filter((row) => {
        const found = figures.get(keyOf(row))
        return found !== undefined && isSlower(found.late_p95, found.usual_p95, LATE_MINUTES)
      })
      .map((row) => alarmOf('latency', row, toMs))
    return { begun, ended }
  }

  /** Errors that ring and are as usual again, or have gone silent. */
  async function over(toMs: number, ringing: ReadonlySet<string>): Promise<Deviations['ended']> {
    const names = [...ringing].filter((name) => name.startsWith(prefixOf('errors')))
    if (names.length === 0) return []
    const services = [...new Set(names.map((name) => serviceOf(name)))].toSorted()
    const rows = await sieve(toMs, OVER_SECONDS, 0, services)
    const found = new Map(rows.map((row) => [seriesOf('errors', row), row]))
    return names.flatMap((name) => {
      const row = found.get(name)
      if (row !== undefined || !heardAtMs.has(name)) heardAtMs.set(name, toMs)
      const isOver =
        row === undefined
          ? toMs - (heardAtMs.get(name) ?? toMs) >= SILENT_MS
          : isAsUsual(row.asked, row.failed, usual.get(name) ?? FORGOTTEN_RATIO)
      if (!isOver) return []
      usual.delete(name)
      heardAtMs.delete(name)
      return [{ series: name, atMs: toMs }]
    })
  }

  return async (nowMs: number, ringing: ReadonlySet<string>): Promise<Deviations> => {
    const toMs = floorTo(nowMs - SETTLED_MS, STEP_MS)
    const minuteMs = floorTo(toMs, MINUTE_MS)
    const isNewMinute = minuteMs !== minuteDoneMs
    const sieved = await sieve(toMs, isNewMinute ? LONG_SECONDS : NOW_SECONDS, BAD_MIN)
    const begun = await failing(toMs, sieved, ringing)
    const ended = await over(toMs, ringing)
    if (!isNewMinute) return { begun, ended }
    const lost = await losing(minuteMs, ringing)
    const slow = await slowing(minuteMs, ringing)
    minuteDoneMs = minuteMs
    return {
      begun: [...begun, ...lost.begun, ...slow.begun],
      ended: [...ended, ...lost.ended, ...slow.ended],
    }
  }
}

function deviationOf(
  given: DetectorSeries | undefined,
  measure: Deviation['measure'],
): Deviation | undefined {
  return given === undefined ? undefined : detect(given).find((one) => one.measure === measure)
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

function alarmOf(measure: Alarm['measure'], row: Sieved, atMs: number): Alarm {
  const { service, operation, channel, site, region, said } = row
  const name = seriesOf(measure, row)
  return {
    key: `${name}@${iso(atMs)}`,
    series: name,
    origin: 'detector',
    name: '',
    measure,
    place: { service, operation, txnCode: '', channel, site, region, branch: '' },
    system: said === '' ? undefined : said,
    atMs,
  }
}
