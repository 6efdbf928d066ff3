// Nezha (MIT), the Train-Ticket half: real spans of real faults, over which synthetic rollouts are laid. The faulted service's version
// flips a little before the onset, or, in a third of the cases, innocents alone do; what comes out is a recording for «surety replay».
// Spans say no status: one whose log told an error failed, and with it the requests above it. A version serves everybody or nobody,
// since the fault did not ask for versions: there is never a control group.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseNezhaSpans, type NezhaSpan } from '../support/nezha.ts'
import type { ResourceInput, SpanInput } from '../support/otlp.ts'
import { Random, seedOf } from './random.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const NS_PER_MS = 1_000_000n
/** Minutes of usual traffic laid before a case. */
export const HISTORY_MINUTES = 13
/** Each case stands so far from the one before that neither sees the other's releases. */
const APART_MS = 4 * DAY_MS
export const ENTRY = { service: 'ts-gateway-service', operation: '/*' } as const

export type NezhaCase = {
  readonly name: string
  readonly kind: string
  readonly service: string
  readonly onsetMs: number
  /** Some minutes about the onset, and one without a fault that the minutes before are drawn from. */
  readonly spans: readonly NezhaSpan[]
  readonly usual: readonly NezhaSpan[]
}

export type NezhaRelease = {
  readonly service: string
  readonly version: string
  readonly before: string
  readonly atMs: number
}

export type Overlay = {
  readonly name: string
  readonly kind: string
  readonly measure: 'errors' | 'latency'
  /** Undefined: innocents alone. */
  readonly culprit: NezhaRelease | undefined
  readonly releases: readonly NezhaRelease[]
  readonly alarmAtMs: number
  readonly endMs: number
  /** Of one ExportTraceServiceRequest each. */
  readonly messages: readonly (readonly ResourceInput[])[]
  readonly events: readonly object[]
}

/** @throws Error naming the folder when it holds no such data */
export function readNezhaCases(folder: string): NezhaCase[] {
  const path = join(folder, 'cases.csv')
  if (!existsSync(path))
    throw new Error(`${folder}: holds no cases.csv of Nezha; give the directory of the data set.`)
  const lines = (file: string) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
  const errors = new Set(
    lines(join(folder, 'error_spans.csv')).map((cells) => `${cells[3] ?? ''}/${cells[4] ?? ''}`),
  )
  const spansOf = (name: string) => {
    const place = join(folder, 'cases', name)
    return readdirSync(place)
      .filter((file) => file.startsWith('trace_'))
      .toSorted()
      .flatMap((file) =>
        parseNezhaSpans(gunzipSync(readFileSync(join(place, file))).toString('utf8'), errors),
      )
  }
  return lines(path).map(
    ([name = '', place = '', date = '', , inject = '', , , service = '', , kind = '']) => ({
      name,
      kind,
      service,
      onsetMs: Number(inject) * 1000,
      spans: spansOf(place),
      usual: spansOf(`normal_${date}`),
    }),
  )
}

/** All cases in turn: what one released serves from then on. */
export function overlays(cases: readonly NezhaCase[], seed: number): Overlay[] {
  const serving = new Map<string, string>()
  return cases.map((of, place) => {
    const made = overlay(of, place, seed, serving)
    for (const { service, version } of made.releases) serving.set(service, version)
    return made
  })
}

const FIRST_VERSION = '1.0.0'

/**
 * @param place    of the case among all; it decides the days that it is moved by, and whose turn it is to be innocents alone
 * @param serving  versions by service when it begins; others are the first
 */
export function overlay(
  of: NezhaCase,
  place: number,
  seed: number,
  serving: ReadonlyMap<string, string> = new Map(),
): Overlay {
  const random = new Random(seed, seedOf(of.name))
  const shiftMs = place * APART_MS
  const onsetMs = of.onsetMs + shiftMs
  const startOf = ({ startNs }: NezhaSpan) => Number(startNs / NS_PER_MS)
  const beginMs = of.spans.reduce((least, span) => Math.min(least, startOf(span)), Infinity) + shiftMs
  const endMs =
    of.spans.reduce((most, span) => (span.parentId === undefined ? Math.max(most, startOf(span)) : most), 0) +
    shiftMs
  const services = [...new Set(of.spans.map(({ service }) => service))].toSorted()
  const change = (service: string, atMs: number): NezhaRelease => ({
    service,
    version: `2.${String(place)}.${String(seed)}`,
    before: serving.get(service) ?? FIRST_VERSION,
    atMs: Math.round(atMs),
  })
  const culprit =
    (place + seed) % 3 === 0 ? undefined : change(of.service, onsetMs - random.between(0.5, 10) * MINUTE_MS)
  const others = services.filter((service) => service !== of.service)
  const picked = new Set<string>()
  for (let left = random.whole(6); left > 0; left -= 1) picked.add(random.pick(others))
  const innocents = [...picked].map((service) =>
    change(
      service,
      onsetMs - (random.chance(0.4) ? random.between(-1, 5) : random.between(5, 11)) * MINUTE_MS,
    ),
  )
  const releases = [...(culprit === undefined ? [] : [culprit]), ...innocents].toSorted(
    (a, b) => a.atMs - b.atMs,
  )
  const versionAt = (service: string, atMs: number) =>
    releases.find((one) => one.service === service && one.atMs <= atMs)?.version ??
    serving.get(service) ??
    FIRST_VERSION
  const traces = tracesOf(of.spans)
  const usual = tracesOf(of.usual)
  const messages = [
    messageOf(
      traces.map((trace) => moved(trace, BigInt(shiftMs))),
      versionAt,
    ),
  ]
  // The day before the first: a version that is seen for the first time of all is no release.
  const minutes = Array.from({ length: HISTORY_MINUTES }, (_, index) => index + 1)
  for (const minute of place === 0 ? [...minutes, DAY_MS / MINUTE_MS] : minutes) {
    const drawn = usual.map((_, index) => {
      const trace = usual[random.whole(usual.length)] ?? []
      const root = trace.find(({ parentId }) => parentId === undefined)
      const atMs = beginMs - minute * MINUTE_MS + random.next() * (MINUTE_MS - 1000)
      const byMs = BigInt(Math.round(atMs)) - (root?.startNs ?? 0n) / NS_PER_MS
      return moved(trace, byMs, `${of.name} ${String(minute)} ${String(index)}`)
    })
    messages.unshift(messageOf(drawn, versionAt))
  }
  return {
    name: of.name,
    kind: of.kind,
    measure: /return|exception/.test(of.kind) ? 'errors' : 'latency',
    culprit,
    releases,
    alarmAtMs: Math.max(onsetMs + MINUTE_MS / 2, endMs - 2 * MINUTE_MS),
    endMs,
    messages,
    events: releases.map(eventOf),
  }
}

/** A trace on the edge of two minutes stands in both of their files. */
function tracesOf(spans: readonly NezhaSpan[]): NezhaSpan[][] {
  const once = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]))
  return [...Map.groupBy(once.values(), ({ traceId }) => traceId).values()]
}

/** @param copy  a copy has ids of its own, the same each time */
function moved(trace: readonly NezhaSpan[], byMs: bigint, copy?: string): NezhaSpan[] {
  const mask = copy === undefined ? undefined : createHash('sha256').update(copy).digest()
  const masked = (hex: string, from: number) => {
    if (mask === undefined) return hex
    const id = Buffer.from(hex, 'hex')
    for (const [at, byte] of id.entries()) id[at] = byte ^ (mask[from + at] ?? 0)
    return id.toString('hex')
  }
  return trace.map((span) => ({
    ...span,
    traceId: masked(span.traceId, 0),
    spanId: masked(span.spanId, 16),
    parentId: span.parentId === undefined ? undefined : masked(span.parentId, 16),
    startNs: span.startNs + byMs * NS_PER_MS,
    endNs: span.endNs + byMs * NS_PER_MS,
  }))
}

/** Spans of whole traces as one request: calls and requests told apart by where the service changes, failures passed on to the root. */
function messageOf(
  traces: readonly (readonly NezhaSpan[])[],
  versionAt: (service: string, atMs: number) => string,
): ResourceInput[] {
  const seats = new Map<string, { readonly span: NezhaSpan; readonly version: string; spans: SpanInput[] }>()
  for (const trace of traces) {
    const byId = new Map(trace.map((span) => [span.spanId, span]))
    const failed = new Set<string>()
    const calls = new Set<string>()
    for (const span of trace) {
      const parent = byId.get(span.parentId ?? '')
      if (parent !== undefined && parent.service !== span.service) calls.add(parent.spanId)
      if (!span.isError) continue
      for (let at: NezhaSpan | undefined = span; at !== undefined && !failed.has(at.spanId);) {
        failed.add(at.spanId)
        at = byId.get(at.parentId ?? '')
      }
    }
    for (const span of trace) {
      const parent = byId.get(span.parentId ?? '')
      const isRequest = span.parentId === undefined || parent?.service !== span.service
      const version = versionAt(span.service, Number(span.startNs / NS_PER_MS))
      const key = `${span.pod} ${version}`
      const seat = seats.get(key) ?? { span, version, spans: [] }
      seats.set(key, seat)
      seat.spans.push({
        traceId: Buffer.from(span.traceId, 'hex'),
        spanId: Buffer.from(span.spanId, 'hex'),
        ...(span.parentId === undefined ? {} : { parentSpanId: Buffer.from(span.parentId, 'hex') }),
        name: span.operation,
        kind: isRequest ? 2 : calls.has(span.spanId) ? 3 : 1,
        startNs: span.startNs,
        endNs: span.endNs,
        statusCode: failed.has(span.spanId) ? 2 : 0,
      })
    }
  }
  return [...seats.values()].map(({ span, version, spans }) => ({
    attributes: {
      'service.name': span.service,
      'service.version': version,
      'service.instance.id': span.pod,
      'bank.system': 'train-ticket',
    },
    spans,
  }))
}

function eventOf({ service, version, atMs }: NezhaRelease): object {
  const type = 'dev.cdevents.service.deployed.0.3.0'
  const timestamp = new Date(atMs).toISOString()
  const context = { specversion: '0.5.1', id: `${service}@${version}`, source: '/nezha', type, timestamp }
  return {
    specversion: '1.0',
    id: context.id,
    source: context.source,
    type,
    time: timestamp,
    datacontenttype: 'application/json',
    data: {
      context,
      subject: {
        id: service,
        content: { environment: { id: 'production' }, artifactId: `pkg:oci/${service}@${version}` },
      },
    },
  }
}
