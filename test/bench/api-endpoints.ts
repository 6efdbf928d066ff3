// The twelve endpoints that people and pages ask most, with what they ask: ranges from a quarter of an hour to a month, in turn.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { SERVICES } from '../../deploy/demo/topology.ts'
import type { SlosReply } from '../../query/http/slo-schemas.ts'
import { readSlos } from '../../query/openslo/bundle.ts'
import { readLocalToken } from '../../query/people/local-token.ts'
import { random } from '../support/otlp.ts'
import { BenchFailure } from './bench-definition.ts'
import { hasItems, type Question } from './questions.ts'

export const ENDPOINTS = [
  'services',
  'series',
  'errors',
  'map',
  'search',
  'trace',
  'utilisation',
  'events',
  'releases',
  'status',
  'slos',
  'sloHistory',
] as const
export type Endpoint = (typeof ENDPOINTS)[number]

/** Endpoints that may answer 404 until they are served; then they are left out, and the result says so. */
export const NOT_SERVED_YET: readonly Endpoint[] = []

const SEED = 17
const MEASURED_TIMEOUT_MS = 300_000
const MEASURED_POLL_MS = 1000
const TRACES_MAX = 200
const SLOS = new URL('../../deploy/slos/', import.meta.url)

const files = readdirSync(SLOS)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, SLOS), 'utf8') }))

/**
 * Applies the demo's SLOs, as whoever may read the data directory.
 * @throws BenchFailure when they are refused
 */
export async function applyDemoSlos(url: string, dataDir: string): Promise<void> {
  const reply = await fetch(`${url}/api/v1/registry/apply?bundle=bench`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readLocalToken(dataDir) ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ files }),
  })
  if (!reply.ok)
    throw new BenchFailure(
      `The demo's SLOs are refused: ${reply.status} ${(await reply.text()).slice(0, 500)}`,
    )
}

/**
 * Resolves when every SLO was judged and its history is measured: before, measuring it is a load of its own.
 * @throws BenchFailure when it takes longer than five minutes
 */
export async function untilMeasured(url: string): Promise<void> {
  const deadline = Date.now() + MEASURED_TIMEOUT_MS
  while (Date.now() < deadline) {
    const reply = await fetch(`${url}/api/v1/slos?limit=200`)
    if (reply.status === 404 && NOT_SERVED_YET.includes('slos')) return
    if (!reply.ok) throw new BenchFailure(`The SLOs: ${reply.status} ${await reply.text()}`)
    const { items } = (await reply.json()) as SlosReply
    const isOpen = items.some(({ judgedAt, backfill }) => judgedAt === null || backfill !== null)
    if (items.length > 0 && !isOpen) return
    await sleep(MEASURED_POLL_MS)
  }
  throw new BenchFailure('The history of the SLOs was not measured within five minutes.')
}

export type NextQuestion = (endpoint: Endpoint) => Question & { readonly kind: Endpoint }

/** @throws BenchFailure when the store holds no trace */
export async function buildQuestions(url: string): Promise<NextQuestion> {
  const traces = await traceIds(url)
  const slos = [...readSlos(files).definitions.keys()]
  const next = random(SEED)
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item
  const service = () => one(SERVICES)
  const turns = new Map<Endpoint, number>()
  const inTurn = (endpoint: Endpoint, ranges: readonly string[]): string => {
    const turn = turns.get(endpoint) ?? 0
    turns.set(endpoint, turn + 1)
    return `from=-${ranges[turn % ranges.length]}`
  }
  const always = () => undefined
  const has = (member: string) => (answer: unknown) =>
    member in (answer as object) ? undefined : `the answer has no ${member}`

  const makers: Readonly<Record<Endpoint, () => Omit<Question, 'kind'>>> = {
    services: () => ({ path: '/api/v1/services?from=-15m', check: hasItems }),
    series: () => ({
      path: `/api/v1/services/${service()}/series?${inTurn('series', ['15m', '24h', '7d', '30d'])}`,
      check: has('versions'),
    }),
    errors: () => ({
      path: `/api/v1/services/${service()}/errors?${inTurn('errors', ['1h', '24h'])}`,
      check: has('items'),
    }),
    map: () => ({ path: `/api/v1/map?${inTurn('map', ['15m', '24h'])}`, check: has('nodes') }),
    search: () => ({
      path: `/api/v1/traces?${inTurn('search', ['1h', '24h', '7d'])}&limit=20&service=${service()}`,
      check: has('items'),
    }),
    trace: () => ({
      path: `/api/v1/traces/${one(traces)}`,
      check: (answer) =>
        (answer as { spans: readonly unknown[] }).spans.length > 0 ? undefined : 'the trace has no span',
    }),
    utilisation: () => ({ path: '/api/v1/metrics/utilisation', check: always }),
    events: () => ({ path: `/api/v1/events?${inTurn('events', ['24h', '7d'])}`, check: has('items') }),
    releases: () => ({ path: '/api/v1/releases/events?from=-30d', check: hasItems }),
    status: () => ({ path: '/api/v1/ingest/status', check: has('spans') }),
    slos: () => ({ path: '/api/v1/slos', check: hasItems }),
    sloHistory: () => ({
      path: `/api/v1/slos/${one(slos)}/history?${inTurn('sloHistory', ['24h', '7d', '30d'])}`,
      check: has('points'),
    }),
  }
  return (endpoint) => ({ kind: endpoint, ...makers[endpoint]() })
}

/** Of the last week, from several services. */
async function traceIds(url: string): Promise<readonly string[]> {
  const found = new Set<string>()
  for (const service of SERVICES) {
    const reply = await fetch(`${url}/api/v1/traces?from=-7d&limit=${TRACES_MAX}&service=${service}`)
    if (!reply.ok) throw new BenchFailure(`Traces of ${service}: ${reply.status} ${await reply.text()}`)
    const { items } = (await reply.json()) as { items: readonly { traceId: string }[] }
    for (const { traceId } of items) found.add(traceId)
  }
  if (found.size === 0) throw new BenchFailure('The store holds no traces.')
  return [...found]
}
