// What the pages ask of the query service, and what can go wrong on the way. Types come from the API contract;
// nothing is re-checked here, and nothing is drawn.

import type {
  IngestStatusReply,
  Problem,
  ReleaseEventsReply,
  ServiceSeriesReply,
  ServicesReply,
  TraceReply,
  UtilisationReply,
} from '../query/http/schemas.ts'
import type { FaultReply, FaultsReply } from '../query/http/fault-schemas.ts'
import type { ReleaseReply, ReleasesReply, ReleaseVerdict } from '../query/http/release-schemas.ts'
import type { DowntimeReply } from '../query/http/report-schemas.ts'
import type {
  SloBurnReply,
  SloHistoryReply,
  SloLedgerReply,
  SloReply,
  SlosReply,
} from '../query/http/slo-schemas.ts'

/** `from` and `to` as the API takes them: RFC 3339, `now` or relative such as `-15m`. */
export type Range = { readonly from: string; readonly to: string }

/** What is judged by itself: one objective of an SLO, of one group when it has groups (its groupKey, else empty). */
export type SloWhich = { readonly slo: string; readonly objective: number; readonly group: string }

/** `timeZone`: IANA zone of the clock times in sentences. */
export type SlosAsked = {
  readonly timeZone: string
  readonly limit: number
  readonly condition?: string
  readonly text?: string
}

export interface Api {
  services(range: Range, signal?: AbortSignal): Promise<ServicesReply>
  series(service: string, range: Range, signal?: AbortSignal): Promise<ServiceSeriesReply>
  releaseEvents(
    range: Range & { readonly service?: string; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<ReleaseEventsReply>
  ingestStatus(signal?: AbortSignal): Promise<IngestStatusReply>
  utilisation(signal?: AbortSignal): Promise<UtilisationReply>
  trace(traceId: string, signal?: AbortSignal): Promise<TraceReply>
  slos(asked: SlosAsked, signal?: AbortSignal): Promise<SlosReply>
  slo(slo: string, timeZone: string, signal?: AbortSignal): Promise<SloReply>
  /** @param points at least 10 */
  sloHistory(which: SloWhich, range: Range, points: number, signal?: AbortSignal): Promise<SloHistoryReply>
  /** @param windows such as `5m,1h,6h` */
  sloBurn(which: SloWhich, range: Range, windows: string, signal?: AbortSignal): Promise<SloBurnReply>
  /** @param from RFC 3339, where the SLO's window begins */
  sloLedger(
    which: SloWhich & { readonly from: string; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<SloLedgerReply>
  releases(range: Range & { readonly limit: number }, signal?: AbortSignal): Promise<ReleasesReply>
  release(id: string, signal?: AbortSignal): Promise<ReleaseReply>
  releaseVerdict(id: string, signal?: AbortSignal): Promise<ReleaseVerdict>
  /** @param asked.release  only faults that it is blamed or suspected for */
  faults(
    asked: Range & { readonly limit: number; readonly release?: string },
    signal?: AbortSignal,
  ): Promise<FaultsReply>
  fault(id: string, signal?: AbortSignal): Promise<FaultReply>
  /** Of the year that runs in this zone. */
  downtime(timeZone: string, signal?: AbortSignal): Promise<DowntimeReply>
}

/**
 * `unreachable`: no answer came (network, proxy). `timeout`: none within the bound. `problem`: the API said what is
 * wrong. `garbled`: something answered that is not our API.
 */
export type ApiFailure =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'garbled'; readonly status: number }

export class ApiError extends Error {
  readonly failure: ApiFailure

  constructor(failure: ApiFailure, options?: ErrorOptions) {
    super(`API: ${failure.kind}`, options)
    this.name = 'ApiError'
    this.failure = failure
  }
}

/** Longer than any report should take, short enough that a person still believes the page is trying. */
const timeoutMs = 10_000

export const apiPaths = {
  services: '/api/v1/services',
  series: (service: string) => `/api/v1/services/${encodeURIComponent(service)}/series`,
  releaseEvents: '/api/v1/releases/events',
  ingestStatus: '/api/v1/ingest/status',
  utilisation: '/api/v1/metrics/utilisation',
  trace: (traceId: string) => `/api/v1/traces/${encodeURIComponent(traceId)}`,
  slos: '/api/v1/slos',
  slo: (slo: string, part = '') => `/api/v1/slos/${encodeURIComponent(slo)}${part}`,
  releases: '/api/v1/releases',
  release: (id: string, part = '') => `/api/v1/releases/${encodeURIComponent(id)}${part}`,
  faults: '/api/v1/faults',
  fault: (id: string) => `/api/v1/faults/${encodeURIComponent(id)}`,
  downtime: '/api/v1/systems/downtime',
} as const

/**
 * @param fetchReply `fetch`, or a stand-in
 * @throws ApiError from every call, or the signal's AbortError when the caller gave up
 */
export function buildApi(fetchReply: typeof fetch, baseUrl = ''): Api {
  async function ask<Reply>(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) search.set(name, String(value))
    const url = search.size === 0 ? `${baseUrl}${path}` : `${baseUrl}${path}?${search.toString()}`
    const timeout = AbortSignal.timeout(timeoutMs)
    let reply: Response
    let body: unknown
    try {
      reply = await fetchReply(url, {
        headers: { accept: 'application/json, application/problem+json' },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      body = await reply.json().catch((error: unknown) => {
        if (error instanceof SyntaxError) return undefined
        throw error
      })
    } catch (error) {
      if (signal?.aborted === true) throw error
      if (timeout.aborted) throw new ApiError({ kind: 'timeout', afterMs: timeoutMs }, { cause: error })
      throw new ApiError({ kind: 'unreachable' }, { cause: error })
    }
    if (reply.ok && typeof body === 'object' && body !== null) return body as Reply
    if (isProblem(body)) throw new ApiError({ kind: 'problem', problem: body })
    throw new ApiError({ kind: 'garbled', status: reply.status })
  }

  return {
    services: (range, signal) => ask(apiPaths.services, { from: range.from, to: range.to }, signal),
    series: (service, range, signal) =>
      ask(apiPaths.series(service), { from: range.from, to: range.to }, signal),
    releaseEvents: ({ from, to, service, limit }, signal) =>
      ask(apiPaths.releaseEvents, { from, to, service, limit }, signal),
    utilisation: (signal) => ask(apiPaths.utilisation, {}, signal),
    ingestStatus: (signal) => ask(apiPaths.ingestStatus, {}, signal),
    trace: (traceId, signal) => ask(apiPaths.trace(traceId), {}, signal),
    slos: (asked, signal) => ask(apiPaths.slos, { ...asked }, signal),
    slo: (slo, timeZone, signal) => ask(apiPaths.slo(slo), { timeZone }, signal),
    sloHistory: ({ slo, ...which }, { from, to }, points, signal) =>
      ask(apiPaths.slo(slo, '/history'), { from, to, ...which, points }, signal),
    sloBurn: ({ slo, ...which }, { from, to }, windows, signal) =>
      ask(apiPaths.slo(slo, '/burn'), { from, to, ...which, windows }, signal),
    sloLedger: ({ slo, ...asked }, signal) => ask(apiPaths.slo(slo, '/ledger'), asked, signal),
    releases: (asked, signal) => ask(apiPaths.releases, { ...asked }, signal),
    release: (id, signal) => ask(apiPaths.release(id), {}, signal),
    releaseVerdict: (id, signal) => ask(apiPaths.release(id, '/verdict'), {}, signal),
    faults: (asked, signal) => ask(apiPaths.faults, { ...asked }, signal),
    fault: (id, signal) => ask(apiPaths.fault(id), {}, signal),
    downtime: (timeZone, signal) => ask(apiPaths.downtime, { timeZone }, signal),
  }
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === 'object' &&
    body !== null &&
    'title' in body &&
    'code' in body &&
    'status' in body &&
    typeof body.title === 'string' &&
    typeof body.code === 'string' &&
    typeof body.status === 'number'
  )
}
