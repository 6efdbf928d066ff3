// Reads the Nezha fixture and turns it into OTLP: one request per pod and minute file, status from the list of
// error spans. Counting is done here from the files alone, so that a test has something to compare with.

import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { traceRequest, type SpanInput } from './otlp.ts'

const FOLDER = new URL('../fixtures/nezha-tt/', import.meta.url)
const SPANS_PER_REQUEST = 512

export type NezhaSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  /** Pod name less its last two parts. */
  readonly service: string
  readonly pod: string
  readonly operation: string
  readonly startNs: bigint
  readonly endNs: bigint
  readonly isError: boolean
}

export function readNezha(): NezhaSpan[] {
  const errors = new Set(
    readFileSync(new URL('error_spans.csv', FOLDER), 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(3, 5).join('/')),
  )
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith('trace_'))
    .toSorted()
    .flatMap((name) =>
      parseNezhaSpans(gunzipSync(readFileSync(new URL(name, FOLDER))).toString('utf8'), errors),
    )
}

/** @param text  a trace file @param errors  `trace id/span id` of spans whose log told an error */
export function parseNezhaSpans(text: string, errors: ReadonlySet<string>): NezhaSpan[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [traceId = '', spanId = '', parentId = '', pod = '', operation = '', start = '0', end = '0'] =
        line.split(',')
      return {
        traceId,
        spanId,
        parentId: parentId === 'root' ? undefined : parentId,
        service: pod.split('-').slice(0, -2).join('-'),
        pod,
        operation,
        startNs: BigInt(start),
        endNs: BigInt(end),
        isError: errors.has(`${traceId}/${spanId}`),
      }
    })
}

/** The spans as requests of one pod each, all of kind SERVER so that each counts as a request. */
export function nezhaRequests(spans: readonly NezhaSpan[]): Buffer[] {
  return Object.entries(Object.groupBy(spans, (span) => span.pod)).flatMap(([pod, own = []]) => {
    const attributes = { 'service.name': own[0]?.service ?? '', 'service.instance.id': pod }
    return Array.from({ length: Math.ceil(own.length / SPANS_PER_REQUEST) }, (_, index) => {
      const part = own.slice(index * SPANS_PER_REQUEST, (index + 1) * SPANS_PER_REQUEST)
      return traceRequest([{ attributes, spans: part.map(spanInput) }])
    })
  })
}

function spanInput(span: NezhaSpan): SpanInput {
  return {
    traceId: Buffer.from(span.traceId, 'hex'),
    spanId: Buffer.from(span.spanId, 'hex'),
    ...(span.parentId === undefined ? {} : { parentSpanId: Buffer.from(span.parentId, 'hex') }),
    name: span.operation,
    kind: 2,
    startNs: span.startNs,
    endNs: span.endNs,
    statusCode: span.isError ? 2 : 0,
  }
}
