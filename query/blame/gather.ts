// What the correlation engine sees of one fault, read from the store: counts by minute, never spans. What they mean is
// judged elsewhere (explain.ts). Settled minutes come from derived tables, the newest straight from spans by the same questions.

import { bind } from '../../ingest/store/bind.ts'
import { sqlMillisecond, type Store } from '../../ingest/store/store.ts'
import type { Release } from '../releases/release.ts'
import { sqlSecond } from '../time-range.ts'
import { affectedSlice } from './affected-slice.ts'
import { candidateReleases, candidatesOf } from './candidate-releases.ts'
import type { Fault, FaultCase } from './case.ts'
import { exemplarsOf } from './exemplars.ts'
import { askFewAtOnce } from './few-at-once.ts'
import { CALLERS_MAX, callersOf } from './gather-callers.ts'
import { buildGatherMemory, byMinuteOf, type GatherMemory } from './gather-memory.ts'
import { byFailed, byRequests, keptBy, mostOf, rowsIn, spanOf } from './gather-minutes.ts'
import { openCallers, openFailuresOf, openPathsOf, openPlacesOf, openTraces } from './gather-open.ts'
import {
  callerRows,
  callsSeen,
  entriesSeen,
  exemplarTraces,
  failureRows,
  pathsSeen,
  peerRows,
  placeRows,
  platformEvents,
  signaturePasts,
  signatureRows,
  systemsSeen,
  traceRows,
  usualPlaces,
  versionsSeen,
} from './gather-questions.ts'
import { leftOut } from './left-out.ts'
import { minutesOf, NOTHING_OPEN, rangeOf } from './minute-rows.ts'
import { isClient, needles, needsTellers } from './release-touch.ts'
import { pastsOf } from './signature-pasts.ts'
import { peersOf } from './slow-calls.ts'
import { buildTraceIndex, traceColumns, tracesByMinute } from './trace-columns.ts'
import { pathPairs } from './trace-path.ts'

export type GatherParts = {
  readonly store: Pick<Store, 'ask'>
  /** How far tools' clocks may be off; default a minute. */
  readonly clockSlackMs?: number
  /** Nothing more is asked once it is aborted. */
  readonly signal?: AbortSignal
  /** What was read of minutes that are over at earlier looks; by default everything is read. */
  readonly memory?: GatherMemory
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
/** Latencies until so long before the alarm are usual. */
const USUAL_UNTIL_MINUTES = 15
/** With fewer derived minutes the open ones are looked at for entries, too: a young store. */
const YOUNG_MINUTES = 5
const ENTRIES_MAX = 2000
export const ROWS_MAX = 400_000
const FAILURES_MAX = 20_000
const PLACES_MAX = 60_000
/** Entries × cells of trace-rows.sql. */
const GROUPS_MAX = 20_000
const PEERS_MAX = 20_000
const SIGNATURES_MAX = 10_000
const EVENTS_MAX = 2000
const EXEMPLARS_MAX = 200
const EXEMPLARS_BACK_MS = 10 * MINUTE_MS
/** How far back errors of earlier versions are known. */
export const PAST_DAYS = 7
/** Two fill a machine of two cores; the lane has as many places. */
const AT_ONCE = 2
const BLAME = { lane: 'blame', secondsMax: 20 } as const

/**
 * @param fault     what is to be explained
 * @param releases  everything known that may have been before or about its onset, 72 h back; the ledger's
 * @param nowMs     the instant of the decision: no minute after it is read
 * @returns the case; the same store, fault, releases and instant give the same bytes
 * @throws StoreError; what the signal was aborted with
 */
export async function gatherCase(
  { store: whole, clockSlackMs = MINUTE_MS, signal, memory = buildGatherMemory() }: GatherParts,
  fault: Fault,
  releases: readonly Release[],
  nowMs: number,
): Promise<FaultCase> {
  const store = askFewAtOnce(whole, { atOnce: AT_ONCE, options: BLAME, signal })
  const alarmMinute = Math.floor(fault.alarmAtMs / MINUTE_MS)
  const atMinute = (minute: number) => sqlSecond(minute * MINUTE_MS)
  const span = spanOf(fault, nowMs)
  const { fromMinute, toMinute } = span
  const range = rangeOf(span)
  // Who calls whom, and what was a day before, says the same of an hour as of a day.
  const nearTo = Math.min(toMinute, span.nearUntil)
  const near = { from: range.from, to: atMinute(nearTo) }
  const minutes = await minutesOf(store, span)
  const usualTo =
    minutes.first < alarmMinute - USUAL_UNTIL_MINUTES ? alarmMinute - USUAL_UNTIL_MINUTES : toMinute
  const usual = atMinute(usualTo)
  const young = minutes.derived.size < YOUNG_MINUTES ? minutes.open : NOTHING_OPEN

  const seen = await store.ask(entriesSeen(young), {
    ...range,
    ...young,
    usual,
    service: fault.place.service,
    limit: ENTRIES_MAX,
  })
  const slice = affectedSlice(
    seen,
    fault.place,
    fault.place.service !== '' && releases.some(({ scope }) => needsTellers(scope)),
  )
  const affectedKeys = slice.keys.slice(0, slice.affected)
  const paths = await store.ask(pathsSeen(young), { ...range, ...young, entries: affectedKeys })
  const services = servicesOf(paths, fault.place.service)
  const { kept, left } = candidateReleases(releases, fault, new Set(services), nowMs)

  const looked = kept.map(needles)
  const told = { tellers: Number(slice.tellers), branches: Number(slice.branches) }
  const tracesAsked = {
    ...told,
    entries: slice.keys,
    slow: slice.slowBuckets.map(String),
    new_in: looked.map(({ newIn }) => newIn),
    old_in: looked.map(({ oldIn }) => oldIn),
    clients: kept.filter(isClient).map(({ versionTo }) => versionTo),
  }
  const callersAsked = { entries: affectedKeys, slow: tracesAsked.slow.slice(0, slice.affected) }
  const failuresAsked = { ...told, entries: slice.keys, limit: FAILURES_MAX }
  const yesterday = new Map(
    [...minutes.dayBefore].filter(
      ([minute]) => minute >= fromMinute - DAY_MINUTES && minute < nearTo - DAY_MINUTES,
    ),
  )
  const keptMinutes = keptBy(store, memory, fault.id, span)
  const ofServices = { ...range, services }
  const past = sqlSecond((fromMinute - PAST_DAYS * DAY_MINUTES) * MINUTE_MS)
  const released = releases.filter(
    ({ service, readyAtMs }) =>
      services.includes(service) && readyAtMs !== undefined && readyAtMs < fromMinute * MINUTE_MS,
  )
  // Open paths tell of requests and of who sent them.
  const openPaths = openPathsOf(store, minutes.asked, slice.keys)
  const placed = async () => {
    const usually = await store.ask(usualPlaces, { ...rangeOf(span, fromMinute, usualTo), services })
    const asked = {
      services,
      edge_services: usually.map(({ service_ }) => service_),
      edges: usually.map(({ edge95 }) => String(edge95)),
      limit: PLACES_MAX,
    }
    const [derived, straight] = await Promise.all([
      keptMinutes(placeRows, asked, minutes.derived, byMinuteOf, PLACES_MAX),
      openPlacesOf(store, minutes.asked, asked),
    ])
    return { asked, rows: mostOf(rowsIn(derived, straight), byRequests, PLACES_MAX) }
  }
  const [
    open,
    openFailed,
    traces,
    tracesBefore,
    failedRows,
    senders,
    places_,
    peers,
    calls,
    systems,
    signatures,
    pasts,
    versions,
    events,
    exemplars,
  ] = await Promise.all([
    openPaths,
    openPaths.then((seenPaths) => openFailuresOf(store, seenPaths, failuresAsked)),
    keptMinutes(traceRows, tracesAsked, minutes.derived, tracesByMinute, GROUPS_MAX),
    keptMinutes(traceRows, tracesAsked, yesterday, tracesByMinute, GROUPS_MAX, 'day before'),
    keptMinutes(failureRows, failuresAsked, minutes.derived, byMinuteOf, FAILURES_MAX),
    keptMinutes(callerRows, callersAsked, minutes.derived, byMinuteOf, CALLERS_MAX),
    placed(),
    store.ask(peerRows, { ...range, callers: services, limit: PEERS_MAX }),
    store.ask(callsSeen, near),
    store.ask(systemsSeen, near),
    store.ask(signatureRows, { ...ofServices, limit: SIGNATURES_MAX }),
    store.ask(signaturePasts, {
      before: past,
      to: range.to,
      now_from: range.from,
      services,
      released: released.map(({ service }) => service),
      released_at: released.map(({ readyAtMs = 0 }) => String(Math.floor(readyAtMs / 1000))),
    }),
    store.ask(versionsSeen, { from: past, to: range.to, services }),
    store.ask(platformEvents, {
      from: sqlMillisecond(fromMinute * MINUTE_MS),
      to: sqlMillisecond(nowMs),
      limit: EVENTS_MAX,
    }),
    store.ask(exemplarTraces, {
      from: sqlMillisecond(Math.max(fromMinute * MINUTE_MS, fault.alarmAtMs - EXEMPLARS_BACK_MS)),
      to: sqlMillisecond(Math.max(fromMinute * MINUTE_MS, Math.min(nowMs, nearTo * MINUTE_MS))),
      entries: affectedKeys,
      services: [...new Set(slice.entries.slice(0, slice.affected).map(({ service }) => service))],
      limit: EXEMPLARS_MAX,
    }),
  ])

  const index = buildTraceIndex()
  // Clients' digits stand after those of all candidates, in their own order: they are put back where they belong.
  const clients = kept.flatMap((release, at) => (isClient(release) ? [at] : []))
  const settled = (text: string) => {
    const digits = text.slice(0, kept.length).split('')
    for (const [place, at] of clients.entries()) digits[at] = text[kept.length + place] ?? '0'
    return digits.join('')
  }
  const settledOnce = new Map<string, string>()
  const settle = (text: string) => {
    if (clients.length === 0) return text
    const known = settledOnce.get(text) ?? settled(text)
    settledOnce.set(text, known)
    return known
  }
  const withOpen = new Map([...traces, ...openTraces(open, tracesAsked)])
  const now = traceColumns(withOpen, index, ROWS_MAX, settle)
  const before = traceColumns(tracesBefore, index, ROWS_MAX, settle)
  const failed = mostOf(rowsIn(failedRows, openFailed), byFailed, FAILURES_MAX)
  const failures = failed
    .map((row) => ({
      minute: row.minute,
      entry: row.entry,
      cell: index.cellOf({
        channel: row.cell_channel,
        site: row.cell_site,
        region: row.cell_region,
        branch: row.cell_branch,
        teller: row.cell_teller,
      }),
      service: row.origin,
      version: row.version,
      operation: row.failed_operation,
      peer: row.peer,
      site: row.failed_site,
      zone: row.zone,
      cluster: row.cluster,
      node: row.node,
      signature: row.error,
      count: row.failed,
    }))
    .toSorted((a, b) => a.minute - b.minute)
  const places = places_.rows
    .map(({ failed: bad, ...place }) => ({ ...place, bad }))
    .toSorted((a, b) => a.minute - b.minute)
  return {
    fault,
    nowMs,
    fromMinute,
    toMinute,
    clockSlackMs,
    sampledRatio: slice.sampledRatio,
    entries: slice.entries,
    slowMs: slice.slowMs,
    cells: index.cells,
    candidates: candidatesOf(kept, {
      cells: index.cells,
      touches: index.touches,
      rows: now.rows,
      places,
      fromMinute,
      toMinute,
      nowMs,
    }),
    touches: index.touches,
    rows: now.rows,
    dayBefore: before.rows.length === 0 ? undefined : before.rows,
    failures,
    places,
    peers: peersOf(peers, alarmMinute - USUAL_UNTIL_MINUTES),
    callers: callersOf(rowsIn(senders, openCallers(open, callersAsked))),
    signatures: signatures
      .map((row) => ({
        minute: row.minute,
        service: row.service_,
        version: row.version_,
        signature: row.id,
        type: row.type_,
        message: row.message_,
        count: row.times,
      }))
      .toSorted((a, b) => a.minute - b.minute),
    signaturePasts: pastsOf(pasts, versions, released, kept),
    events: events
      .map((event) => ({
        atMs: event.at,
        kind: event.kind_,
        name: event.name_,
        service: event.service_,
        zone: event.zone_,
        node: event.node_,
      }))
      .toSorted((a, b) => a.atMs - b.atMs),
    calls: calls.map(({ caller_, callee_ }) => [caller_, callee_] as const),
    systems: Object.fromEntries(systems.map(({ service_, system }) => [service_, system])),
    ...(minutes.knownFrom === undefined ? {} : { knownFromMinute: minutes.knownFrom }),
    isAffected: slice.entries.map((_, entry) => entry < slice.affected),
    exemplars: exemplarsOf(exemplars, kept),
    queries: [
      {
        title: { en: 'Requests by minute, cell and touch', zh: '按分钟、客群与接触情况统计的请求' },
        sql: bind(traceRows.sql, { ...range, ...tracesAsked }),
      },
      {
        title: { en: 'Where failing requests began to fail', zh: '失败请求的起始故障位置' },
        sql: bind(failureRows.sql, { ...range, ...failuresAsked }),
      },
      {
        title: { en: 'Requests by place and node', zh: '按部署位置与节点统计的请求' },
        sql: bind(placeRows.sql, { ...range, ...places_.asked }),
      },
    ],
    leftOut: leftOut({
      minutes: minutes.missing,
      candidates: left,
      entries: slice.left,
      rows: now.left,
      failures: failed.length === FAILURES_MAX,
      places: places.length === PLACES_MAX,
      branches: !slice.branches,
    }),
  }
}

/** Services that the traces touched, and the fault's own. */
function servicesOf(paths: readonly { readonly path: string }[], service: string): readonly string[] {
  const names = new Set(paths.flatMap(({ path }) => pathPairs(path).map((pair) => pair.service)))
  if (service !== '') names.add(service)
  return [...names].toSorted()
}
