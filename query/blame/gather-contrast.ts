// What a verdict about one release sees, read from the store: traces through its service by minute, entry, cell and touch,
// before it was ready and since.

import type { Release } from '../releases/release.ts'
import { sqlSecond } from '../time-range.ts'
import { affectedSlice, touchingSlice } from './affected-slice.ts'
import { scopeCells } from './candidate-releases.ts'
import type { Cell, Entry, SignaturePast, SignatureRow, Touch, TraceRows } from './case.ts'
import {
  calledRows,
  entriesSeen,
  latencyRows,
  placeRows,
  signaturePasts,
  signatureRows,
  traceRows,
  versionsSeen,
} from './gather-questions.ts'
import { askFewAtOnce } from './few-at-once.ts'
import { openPathsOf, openPlacesOf, openTraces } from './gather-open.ts'
import { PAST_DAYS, ROWS_MAX, type GatherParts } from './gather.ts'
import { upperMs } from './latency-buckets.ts'
import { leftOut } from './left-out.ts'
import { everyMinute, minutesOf, rangeOf } from './minute-rows.ts'
import { isClient, needles, needsTellers } from './release-touch.ts'
import { pastsOf } from './signature-pasts.ts'
import { buildTraceIndex, traceColumns, tracesByMinute } from './trace-columns.ts'
import { cpuRows, resourcesOf } from './version-resources.ts'

/** Latency of entries by how their traces met the service, each bucket by its upper edge. */
export type LatencyRow = {
  readonly entry: number
  readonly touch: 0 | 1 | 2
  /** Whether it began after the release was ready. */
  readonly isAfter: boolean
  readonly upperMs: number
  readonly count: number
}

/** Requests that the service served, and those it was called for: what was called and not answered is lost. */
export type ServedRow = {
  readonly minute: number
  readonly version: string
  readonly requests: number
  readonly bad: number
}
export type CalledRow = {
  readonly minute: number
  readonly caller: string
  readonly calls: number
  readonly bad: number
}

export type ResourceUse = {
  readonly version: string
  readonly cpuSeconds: number
  readonly requests: number
  /** Instances × minutes in which they told of their CPU time and served. */
  readonly instanceMinutes: number
}

export type ContrastCase = {
  readonly release: string
  readonly fromMinute: number
  readonly toMinute: number
  readonly entries: readonly Entry[]
  readonly slowMs: readonly number[]
  readonly cells: readonly Cell[]
  /** One touch each. */
  readonly touches: readonly (readonly (0 | 1 | 2)[])[]
  /** Indexes of cells inside the release's scope; undefined: everybody. */
  readonly scopeCells: readonly number[] | undefined
  readonly rows: TraceRows
  readonly latency: readonly LatencyRow[]
  /** On the new version, and not on any other version within 7 days. */
  readonly newSignatures: readonly SignatureRow[]
  /** On the new version, and on another one within 7 days, too. */
  readonly knownSignatures?: readonly SignatureRow[]
  readonly served: readonly ServedRow[]
  readonly called: readonly CalledRow[]
  /** By version, when metrics of CPU time by version are there; else empty. */
  readonly resources: readonly ResourceUse[]
  readonly leftOut: readonly { readonly en: string; readonly zh: string }[]
  /** The same minutes one day earlier, by the same indexes; undefined when nothing is kept of it. */
  readonly dayBefore?: TraceRows | undefined
  /** What was known of the service's errors before. */
  readonly signaturePasts?: readonly SignaturePast[]
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const ENTRIES_MAX = 2000
const PLACES_MAX = 100_000
const SIGNATURES_MAX = 10_000
const EARLIER_MAX = 200

/**
 * @param range  whole minutes; with as long before the release was ready as is to be compared with
 * @param ledger  releases of the days before: what is usual during them is told of errors
 * @throws StoreError
 */
export async function gatherContrast(
  { store: whole, signal }: GatherParts,
  release: Release,
  range: { readonly fromMs: number; readonly toMs: number },
  ledger: readonly Release[] = [],
): Promise<ContrastCase> {
  // Nobody waits for it as for a fault: one question at a time, beside the pages.
  const store = askFewAtOnce(whole, { atOnce: 1, options: { lane: 'heavy', secondsMax: 60 }, signal })
  const fromMinute = Math.floor(range.fromMs / MINUTE_MS)
  const toMinute = Math.max(fromMinute + 1, Math.ceil(range.toMs / MINUTE_MS))
  const atMinute = (minute: number) => sqlSecond(minute * MINUTE_MS)
  const span = everyMinute(fromMinute, toMinute)
  const asked = rangeOf(span)
  const bounds = { from: asked.from, to: asked.to }
  const readyMs = release.readyAtMs ?? release.startedAtMs
  const ready = Math.floor(readyMs / MINUTE_MS) * 60
  const { service } = release
  const minutes = await minutesOf(store, span)
  const seen = await store.ask(entriesSeen(minutes.open), {
    ...asked,
    ...minutes.open,
    usual: sqlSecond(ready * 1000),
    service,
    limit: ENTRIES_MAX,
  })
  const wantsTellers = needsTellers(release.scope)
  const slice = isClient(release)
    ? affectedSlice(seen, NO_PLACE, wantsTellers)
    : touchingSlice(seen, wantsTellers)
  const { newIn, oldIn } = needles(release)
  const touching = {
    entries: slice.keys,
    new_in: isClient(release) ? [] : [newIn],
    old_in: isClient(release) ? [] : [oldIn],
    clients: isClient(release) ? [release.versionTo] : [],
  }
  const tracesAsked = {
    ...touching,
    slow: slice.slowBuckets.map(String),
    tellers: Number(slice.tellers),
    branches: Number(slice.branches),
  }
  const dayBefore = rangeOf(everyMinute(fromMinute - DAY_MINUTES, toMinute - DAY_MINUTES))
  const past = { from: atMinute(fromMinute - PAST_DAYS * DAY_MINUTES), to: asked.to }
  const services = service === '' ? [] : [service]
  const earlier = earlierReleases(release, ledger, (fromMinute - PAST_DAYS * DAY_MINUTES) * MINUTE_MS)
  // How long places take is not compared.
  const placesAsked = { services, edge_services: [], edges: [], limit: PLACES_MAX }
  const [
    openPaths,
    openPlaces,
    rowsSeen,
    rowsBefore,
    latency,
    placesSeen,
    called,
    errors,
    pasts,
    versions,
    cpu,
  ] = await Promise.all([
    openPathsOf(store, minutes.asked, slice.keys),
    openPlacesOf(store, minutes.asked, placesAsked),
    store.ask(traceRows, { ...asked, ...tracesAsked }),
    store.ask(traceRows, { ...dayBefore, ...tracesAsked }),
    store.ask(latencyRows(minutes.open), { ...asked, ...minutes.open, ...touching, ready }),
    store.ask(placeRows, { ...asked, ...placesAsked }),
    store.ask(calledRows, { ...bounds, service }),
    store.ask(signatureRows, { ...asked, services, limit: SIGNATURES_MAX }),
    store.ask(signaturePasts, {
      before: past.from,
      to: asked.to,
      now_from: sqlSecond(Math.max(ready * 1000, fromMinute * MINUTE_MS)),
      services,
      released: earlier.map(() => service),
      released_at: earlier.map(({ readyAtMs = 0 }) => String(Math.floor(readyAtMs / 1000))),
    }),
    store.ask(versionsSeen, { ...past, services }),
    cpuRows(store, isClient(release) ? '' : service, { fromMinute, toMinute }),
  ])
  const index = buildTraceIndex()
  for (const touch of ['0', '1', '2']) index.touchOf(touch)
  const derived = [...tracesByMinute(rowsSeen)].filter(([minute]) => minutes.derived.has(minute))
  const byMinute = new Map([...derived, ...openTraces(openPaths, tracesAsked)])
  const { rows, left } = traceColumns(byMinute, index, ROWS_MAX)
  const before = traceColumns(tracesByMinute(rowsBefore), index, ROWS_MAX)
  const places = [...placesSeen.filter(({ minute }) => minutes.derived.has(minute)), ...openPlaces]
  const isElsewhere = new Set(
    pasts
      .filter(({ versions: had }) => had.some((version) => version !== release.versionTo))
      .map(({ id }) => id),
  )
  for (const { id, version_ } of errors) if (version_ !== release.versionTo) isElsewhere.add(id)
  const signatures = errors
    .filter(({ version_ }) => version_ === release.versionTo)
    .map((row) => ({
      minute: row.minute,
      service: row.service_,
      version: row.version_,
      signature: row.id,
      type: row.type_,
      message: row.message_,
      count: row.times,
    }))
    .toSorted((a, b) => a.minute - b.minute)
  const served = servedRows(places)
  return {
    release: release.id,
    fromMinute,
    toMinute,
    entries: slice.entries,
    slowMs: slice.slowMs,
    cells: index.cells,
    touches: index.touches,
    scopeCells: scopeCells(release, index.cells, rows, (touch) => index.touches[touch]?.[0] === 2),
    rows,
    latency: latency.flatMap(({ entry, touch, after, buckets, requests }) =>
      buckets.map((bucket, place) => ({
        entry,
        touch: Number(touch) as Touch,
        isAfter: after === 1,
        upperMs: upperMs(bucket),
        count: requests[place] ?? 0,
      })),
    ),
    newSignatures: signatures.filter(({ signature }) => !isElsewhere.has(signature)),
    knownSignatures: signatures.filter(({ signature }) => isElsewhere.has(signature)),
    served,
    called: called.map(({ minute, caller_, calls, failed }) => ({
      minute,
      caller: caller_,
      calls,
      bad: failed,
    })),
    resources: resourcesOf(cpu, served, release.versionTo, Math.floor(readyMs / MINUTE_MS) + 1),
    leftOut: leftOut({
      minutes: minutes.missing,
      candidates: 0,
      entries: slice.left,
      rows: left,
      failures: false,
      places: placesSeen.length === PLACES_MAX,
      branches: !slice.branches,
    }),
    dayBefore: before.rows.length === 0 ? undefined : before.rows,
    signaturePasts: pastsOf(pasts, versions, earlier, [release]),
  }
}

const NO_PLACE = { service: '', operation: '', txnCode: '', channel: '', site: '', region: '', branch: '' }

/** Of the service, ready since an instant and before this one. */
const earlierReleases = (release: Release, ledger: readonly Release[], sinceMs: number): readonly Release[] =>
  ledger
    .filter(
      ({ id, service, readyAtMs = 0 }) =>
        service === release.service &&
        service !== '' &&
        id !== release.id &&
        readyAtMs >= sinceMs &&
        readyAtMs < (release.readyAtMs ?? release.startedAtMs),
    )
    .slice(-EARLIER_MAX)

function servedRows(
  places: readonly {
    readonly minute: number
    readonly version: string
    readonly requests: number
    readonly failed: number
  }[],
): ServedRow[] {
  const served = new Map<string, ServedRow>()
  for (const { minute, version, requests, failed } of places) {
    const key = `${minute} ${version}`
    const known = served.get(key) ?? { minute, version, requests: 0, bad: 0 }
    served.set(key, { ...known, requests: known.requests + requests, bad: known.bad + failed })
  }
  return [...served.values()].toSorted((a, b) => a.minute - b.minute || (a.version < b.version ? -1 : 1))
}
