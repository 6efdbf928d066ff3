// Fuzzing of what comes in: seeded damage to valid requests, and what must hold whatever it did. Pure steps by the thousand;
// a whole Surety by the hundred, with good neighbours in every batch and a book that must agree to the row.

import { createHash } from 'node:crypto'
import protobuf from 'protobufjs'
import { readFileSync } from 'node:fs'
import { metricsFromJson, tracesFromJson, type Transcoded } from '../../ingest/pipeline/json-to-proto.ts'
import { prepareMetrics } from '../../ingest/pipeline/prepare-metrics.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { buildSeriesRegister } from '../../ingest/pipeline/series-register.ts'
import type { IngestStatusReply } from '../../query/http/schemas.ts'
import type { GrpcClient } from './grpc.ts'
import { damageBytes, damageText } from './mutations.ts'
import { metricRequest } from './otlp-metrics.ts'
import { field, random, traceRequest, type SpanInput } from './otlp.ts'
import type { TestSurety } from './surety.ts'

/** What must hold does not. The message holds all that is needed to see it again. */
export class FuzzFailure extends Error {}

export type FuzzOptions = {
  readonly seed: number
  readonly cases: number
  /** Ends earlier when the time is up; being slow is no failure. */
  readonly isOver: () => boolean
}

const BOUNDS = { retentionMs: 7 * 86_400_000, aheadMs: 86_400_000 }
const SERIES = { perMetricMax: 50_000, seriesMax: 1_000_000, namesMax: 20_000 }

/** Valid trace requests of several shapes. */
function traceCorpus(next: () => number, nowMs: number): Buffer[] {
  const span = (given: Partial<SpanInput>): SpanInput => {
    const startNs = BigInt(nowMs - 60_000) * 1_000_000n
    const bytes = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)))
    return {
      traceId: bytes(16),
      spanId: bytes(8),
      name: 'POST /pay',
      startNs,
      endNs: startNs + 5_000_000n,
      ...given,
    }
  }
  const attributes = {
    'http.response.status_code': 500,
    ok: true,
    ratio: 0.5,
    list: ['a', 1, true],
    bytes: { bytes: Buffer.from([1, 2]) },
    card: '4111111111111111',
  }
  const resource = { 'service.name': 'fuzzed', 'service.version': '1', 'bank.site': 'sh-a' }
  return [
    traceRequest([
      {
        attributes: resource,
        spans: [span({ attributes }), span({ kind: 3, statusCode: 2, statusMessage: 'no' })],
      },
    ]),
    traceRequest([
      {
        attributes: resource,
        spans: [span({ events: [{ atNs: 1n, name: 'exception', attributes: { 'exception.type': 'E' } }] })],
      },
      { attributes: {}, spans: [span({ traceState: 'ot=th:8' })] },
    ]),
    traceRequest([
      {
        attributes: { ...resource, nested: [['x']] },
        scope: { name: 's', version: '2' },
        spans: Array.from({ length: 5 }, () => span({ parentSpanId: Buffer.alloc(8, 3) })),
      },
    ]),
  ]
}

function metricCorpus(nowMs: number): Buffer[] {
  const atNs = BigInt(nowMs - 60_000) * 1_000_000n
  const attributes = { pod: 'p-1', n: 5, list: ['x'] }
  return [
    metricRequest({ 'service.name': 'fuzzed' }, [
      {
        name: 'g',
        gauge: [
          { atNs, value: 1.5, attributes },
          { atNs, value: Number.NaN },
        ],
      },
      {
        name: 's',
        temporality: 2,
        sum: [
          {
            atNs,
            startNs: atNs - 5n,
            value: 7n,
            attributes,
            exemplars: [{ atNs, value: 1, traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1) }],
          },
        ],
      },
    ]),
    metricRequest({ 'service.name': 'fuzzed' }, [
      {
        name: 'h',
        temporality: 1,
        histogram: [{ atNs, count: 3, sum: 4, bounds: [1, 2], buckets: [1, 1, 1], attributes }],
      },
      {
        name: 'e',
        temporality: 1,
        expHistogram: [
          {
            atNs,
            count: 3,
            scale: 2,
            positive: { offset: -1, counts: [1, 2] },
            negative: { offset: 0, counts: [] },
          },
        ],
      },
      {
        name: 'q',
        summary: [
          {
            atNs,
            count: 1,
            sum: 1,
            quantiles: [
              [0.5, 1],
              [0.99, 2],
            ],
          },
        ],
      },
    ]),
  ]
}

function jsonCorpus(nowMs: number): string[] {
  const time = `${nowMs - 60_000}000000`
  const attributes = [
    { key: 'service.name', value: { stringValue: 'fuzzed' } },
    {
      key: 'l',
      value: {
        arrayValue: {
          values: [
            { intValue: '1' },
            { kvlistValue: { values: [{ key: 'k', value: { doubleValue: 0.5 } }] } },
          ],
        },
      },
    },
  ]
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '00f067aa0ba902b7',
    name: 'op',
    kind: 2,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    events: [{ timeUnixNano: time, name: 'e' }],
    status: { code: 2, message: 'm' },
  }
  return [
    JSON.stringify({
      resourceSpans: [
        { resource: { attributes }, scopeSpans: [{ scope: { name: 's' }, spans: [span, span] }] },
      ],
    }),
  ]
}

function metricJsonCorpus(nowMs: number): string[] {
  const timeUnixNano = `${nowMs - 60_000}000000`
  const point = { timeUnixNano, asInt: '5', attributes: [{ key: 'a', value: { boolValue: true } }] }
  const metrics = [
    { name: 'g', gauge: { dataPoints: [{ timeUnixNano, asDouble: 'NaN' }, point] } },
    {
      name: 'h',
      histogram: {
        aggregationTemporality: 1,
        dataPoints: [{ timeUnixNano, count: '2', sum: 3, bucketCounts: ['1', '1'], explicitBounds: [1] }],
      },
    },
  ]
  return [
    JSON.stringify({
      resourceMetrics: [{ resource: { attributes: [] }, scopeMetrics: [{ scope: { name: 's' }, metrics }] }],
    }),
  ]
}

const releaseCorpus = (nowMs: number) => [
  JSON.stringify({
    specversion: '1.0',
    id: '1',
    source: '/fuzz',
    type: 'dev.cdevents.service.deployed.0.2.0',
    time: new Date(nowMs - 60_000).toISOString(),
    datacontenttype: 'application/json',
    data: {
      context: {
        version: '0.4.1',
        id: '1',
        source: '/fuzz',
        type: 'dev.cdevents.service.deployed.0.2.0',
        timestamp: new Date(nowMs - 60_000).toISOString(),
      },
      subject: {
        id: 'pay',
        type: 'service',
        content: { environment: { id: 'prod' }, artifactId: 'pkg:oci/pay@sha256%3Aab?tag=1.2' },
      },
    },
  }),
  JSON.stringify({
    specversion: '1.0',
    id: '2',
    source: '/fuzz',
    type: 'com.example.change',
    subject: 'ledger',
    data: { service: 'ledger', version: '2.0' },
  }),
]

function fail(
  what: string,
  { seed }: FuzzOptions,
  index: number,
  name: string,
  bytes: Uint8Array | string,
): FuzzFailure {
  const shown = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('hex')
  return new FuzzFailure(
    `${what}\nseed ${seed}, case ${index} (${name}); see it again with SURETY_FUZZ_SEED=${seed}\n${shown.slice(0, 6000)}`,
  )
}

/** The walks and the JSON converters: never a throw, a converter's bytes always walk, what is kept walks again. @returns cases */
export function fuzzSteps(options: FuzzOptions): number {
  const next = random(options.seed)
  const nowMs = Date.now()
  const clock = { now: () => nowMs }
  const register = buildSeriesRegister(SERIES, clock, 1)
  const signals = [
    {
      name: 'traces',
      bytes: traceCorpus(next, nowMs),
      texts: jsonCorpus(nowMs),
      fromJson: tracesFromJson,
      prepare: (bytes: Uint8Array) => prepareTraces(bytes, 'fuzz', nowMs, BOUNDS),
    },
    {
      name: 'metrics',
      bytes: metricCorpus(nowMs),
      texts: metricJsonCorpus(nowMs),
      fromJson: metricsFromJson,
      prepare: (bytes: Uint8Array) => prepareMetrics(bytes, 'fuzz', nowMs, BOUNDS, register),
    },
  ]
  let index = 0
  for (; index < options.cases && !options.isOver(); index += 1) {
    for (const { name: signal, bytes: corpus, texts, fromJson, prepare } of signals) {
      const { name, bytes } = damageBytes(next, corpus)
      const json = damageText(next, texts)
      let transcoded: Transcoded
      try {
        const prepared = prepare(bytes)
        const again = prepare(prepared.bytes)
        if (again.rows !== prepared.rows || again.deadLetters.length > 0)
          throw fail(
            `${signal}: what is kept of a message does not walk again as it was`,
            options,
            index,
            name,
            bytes,
          )
        transcoded = fromJson(Buffer.from(json.text))
      } catch (error) {
        if (error instanceof FuzzFailure) throw error
        throw fail(
          `${signal}: a step threw: ${String(error)}`,
          options,
          index,
          `${name} | ${json.name}`,
          Buffer.concat([bytes, Buffer.from(json.text)]),
        )
      }
      if (transcoded.kind === 'refused') {
        if (transcoded.reason.length < 5)
          throw fail(`${signal}: a refusal without words`, options, index, json.name, json.text)
        continue
      }
      const [letter] = prepare(transcoded.bytes).deadLetters
      if (letter?.reason === 'malformed')
        throw fail(
          `${signal}: the converter's bytes do not walk: ${letter.detail}`,
          options,
          index,
          json.name,
          json.text,
        )
    }
  }
  return index
}

// The reference: another library, with the engine's own schema.
const { root } = protobuf.parse(
  readFileSync(new URL('../../ingest/store/otlp-trace.proto', import.meta.url), 'utf8'),
)
const Request = root.lookupType('Envelope')
type Reference = {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly unknown[] }[]
  }[]
}

/** What the reference library makes of bytes, written down by it anew; undefined when it cannot read them. */
function canonical(bytes: Buffer): { readonly bytes: Buffer; readonly spans: number } | undefined {
  try {
    const message = Request.decode(bytes) as unknown as Reference
    const spans = (message.resourceSpans ?? []).reduce(
      (sum, { scopeSpans = [] }) =>
        sum + scopeSpans.reduce((inner, one) => inner + (one.spans ?? []).length, 0),
      0,
    )
    return { bytes: Buffer.from(Request.encode(message as unknown as protobuf.Message).finish()), spans }
  } catch {
    return undefined
  }
}

type Case = {
  readonly name: string
  readonly body: Buffer
  readonly isJson: boolean
  readonly mustBeTaken: boolean
}
const NEIGHBOUR_SPANS = 3
const CASES_PER_ROUND = 24

/**
 * A whole Surety: every case gets a clear answer at a door, good neighbours in the same batch are stored, and rows are what
 * was answered with 200, to the row. What a reference library has written is never refused.
 * @returns cases
 */
export async function fuzzDoors(surety: TestSurety, grpc: GrpcClient, options: FuzzOptions): Promise<number> {
  const next = random(options.seed)
  const corpus = traceCorpus(next, Date.now())
  const texts = jsonCorpus(Date.now())
  const known = new Set<string>()
  const spansStored = async () => (await surety.get<IngestStatusReply>('/api/v1/ingest/status')).spans.rows
  let rows = await spansStored()
  let index = 0
  while (index < options.cases && !options.isOver()) {
    const cases: Case[] = []
    while (cases.length < CASES_PER_ROUND) {
      const choice = next()
      if (choice < 0.25) {
        const { name, text } = damageText(next, texts)
        cases.push({ name: `JSON: ${name}`, body: Buffer.from(text), isJson: true, mustBeTaken: false })
        continue
      }
      const { name, bytes } = damageBytes(next, corpus)
      const reference = choice < 0.6 ? canonical(bytes) : undefined
      if (reference === undefined) cases.push({ name, body: bytes, isJson: false, mustBeTaken: false })
      else cases.push({ name: `rewritten: ${name}`, body: reference.bytes, isJson: false, mustBeTaken: true })
    }
    const nowMs = Date.now()
    const startNs = BigInt(nowMs - 30_000) * 1_000_000n
    const neighbour = traceRequest([
      {
        attributes: { 'service.name': 'neighbour', round: index },
        spans: Array.from({ length: NEIGHBOUR_SPANS }, (_, at) => ({
          traceId: Buffer.alloc(16, 9),
          spanId: Buffer.alloc(8, at),
          name: `n${index}`,
          startNs,
          endNs: startNs,
        })),
      },
    ])
    const [beside, ...answers] = await Promise.all([
      surety.send(neighbour),
      ...cases.map(({ body, isJson }, at) => answerOf(surety, grpc, body, isJson, at)),
    ])
    if (beside.status !== 200)
      throw fail(
        `the neighbour was refused: ${beside.status} ${beside.text}`,
        options,
        index,
        'neighbour',
        neighbour,
      )
    rows += NEIGHBOUR_SPANS
    cases.forEach(({ name, body, isJson, mustBeTaken }, at) => {
      const answer = answers[at] ?? { isTaken: false, isClear: false, text: '' }
      const problem = (what: string) => fail(`${what}: ${answer.text}`, options, index + at, name, body)
      if (!answer.isTaken && !answer.isClear) throw problem('no clear answer')
      const transcoded: Transcoded = isJson ? tracesFromJson(body) : { kind: 'proto', bytes: body }
      const prepared =
        transcoded.kind === 'proto' ? prepareTraces(transcoded.bytes, 'fuzz', nowMs, BOUNDS) : undefined
      const isMalformed =
        prepared === undefined || prepared.deadLetters.some(({ reason }) => reason === 'malformed')
      if (answer.isTaken && isMalformed) throw problem('the door took what the walk refuses')
      if (mustBeTaken && !answer.isTaken) throw problem('the door refused what the reference library wrote')
      if (!answer.isTaken || transcoded.kind !== 'proto') return
      const digest = createHash('sha256').update(transcoded.bytes).digest('hex')
      if (!known.has(digest)) rows += prepared?.rows ?? 0
      known.add(digest)
    })
    const stored = await spansStored()
    if (stored !== rows) {
      const culprit = await culpritOf(surety, cases, spansStored)
      const what = `${stored} spans are stored, ${rows} were answered for; alone: ${culprit?.said ?? 'every case is right'}`
      throw fail(
        what,
        options,
        index,
        culprit?.name ?? 'all together',
        culprit?.body ?? Buffer.concat(cases.map(({ body }) => body)),
      )
    }
    index += cases.length
  }
  return index
}

/** Each case once more, alone, with an unknown field at its end that makes it another request. */
async function culpritOf(surety: TestSurety, cases: readonly Case[], spansStored: () => Promise<number>) {
  for (const { name, body, isJson } of cases) {
    const transcoded: Transcoded = isJson ? tracesFromJson(body) : { kind: 'proto', bytes: body }
    if (transcoded.kind !== 'proto') continue
    const again = Buffer.concat([transcoded.bytes, field(1000, 'again')])
    const { rows } = prepareTraces(again, 'fuzz', Date.now(), BOUNDS)
    const before = await spansStored()
    const { status } = await surety.send(again)
    const came = (await spansStored()) - before
    if (came !== (status === 200 ? rows : 0))
      return { name, body: Buffer.from(transcoded.bytes), said: `${status}, ${came} stored of ${rows}` }
  }
  return undefined
}

type Answer = { readonly isTaken: boolean; readonly isClear: boolean; readonly text: string }

async function answerOf(
  surety: TestSurety,
  grpc: GrpcClient,
  body: Buffer,
  isJson: boolean,
  at: number,
): Promise<Answer> {
  if (!isJson && at % 3 === 0) {
    const { code, details } = await grpc.call(body)
    return {
      isTaken: code === 'OK',
      isClear: code === 'INVALID_ARGUMENT' && details.length > 20,
      text: `${code} ${details}`,
    }
  }
  const { status, text } = await surety.send(body, isJson ? { 'content-type': 'application/json' } : {})
  return { isTaken: status === 200, isClear: status === 400 && text.length > 20, text: `${status} ${text}` }
}

/** Metrics at their door: a clear answer each, good neighbours stored. @returns cases */
export async function fuzzMetricDoor(surety: TestSurety, options: FuzzOptions): Promise<number> {
  const next = random(options.seed)
  const corpus = metricCorpus(Date.now())
  const texts = metricJsonCorpus(Date.now())
  let index = 0
  while (index < options.cases && !options.isOver()) {
    const cases = Array.from({ length: CASES_PER_ROUND }, () => {
      if (next() < 0.3) {
        const { name, text } = damageText(next, texts)
        return { name, body: Buffer.from(text), headers: { 'content-type': 'application/json' } }
      }
      const { name, bytes } = damageBytes(next, corpus)
      return { name, body: bytes, headers: {} }
    })
    const atNs = BigInt(Date.now() - 30_000) * 1_000_000n
    const neighbour = metricRequest({ 'service.name': 'neighbour' }, [
      { name: 'neighbour', gauge: [{ atNs, value: BigInt(index) }] },
    ])
    const [beside, ...answers] = await Promise.all([
      surety.sendMetrics(neighbour),
      ...cases.map(({ body, headers }) => surety.sendMetrics(body, headers)),
    ])
    if (beside.status !== 200 || beside.text !== '')
      throw fail(
        `the neighbour was refused: ${beside.status} ${beside.text}`,
        options,
        index,
        'neighbour',
        neighbour,
      )
    answers.forEach(({ status, text }, at) => {
      const { name, body } = cases[at] ?? { name: '', body: Buffer.alloc(0) }
      if (status !== 200 && (status !== 400 || text.length <= 20))
        throw fail(`no clear answer: ${status} ${text}`, options, index + at, name, body)
    })
    index += cases.length
  }
  return index
}

/** Release events: taken, or refused with place and remedy; the same event always with the same answer. @returns cases */
export async function fuzzReleases(surety: TestSurety, options: FuzzOptions): Promise<number> {
  const next = random(options.seed)
  const corpus = releaseCorpus(Date.now())
  let index = 0
  for (; index < options.cases && !options.isOver(); index += 1) {
    const { name, text } = damageText(next, corpus)
    const type = next() < 0.5 ? 'application/cloudevents+json' : 'application/cloudevents-batch+json'
    const body = type.includes('batch') ? `[${text},${corpus[1]}]` : text
    const reply = await fetch(`${surety.url}/api/v1/releases/events`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    const answer = await reply.text()
    if (reply.status >= 500 || (reply.status >= 300 && !/"detail":".{10}/.test(answer)))
      throw fail(`no clear answer to a release event: ${reply.status} ${answer}`, options, index, name, body)
  }
  return index
}
