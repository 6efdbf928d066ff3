// The peer of ingest-spans: what a team that knows its trade would write in TypeScript without Surety's idea.
// kafkajs consumer → protobufjs decode → rows in JavaScript → JSONEachRow → the same engine, schema and views.
//
// It is given its best form:
// - protobufjs' compiled decoders, made once, on a schema with only the fields that become columns; unknown
//   fields are dropped while decoding; decoded messages are used as they are, no toObject, no Long arithmetic
//   (times are added up from the two halves of a Long in exact doubles), the oneof's own mark tells value kinds;
// - what depends on the resource alone is computed and written as JSON once per distinct resource; outcomes are
//   remembered per code; JSON is put together by hand, quoting only texts that need it, empty columns left out;
// - the same settings, fsync, deduplication and spool file in tmpfs as Surety (the engine reads the file, nothing
//   goes inline), read as plain strings, which costs a sixth less here than dictionaries while parsing;
// - each partition has one insert under way while the next batch is being made; batches are as large as is
//   cheapest, 100,000 spans, the last one does not wait, and fetches are large; kafkajs is freed of its idle timer
//   as in Surety;
// - it does less than Surety: no intent before an insert, no walk for hostile input, no dead letters, no metrics.
//
// It stays on one thread beside the engine's: workers would add CPU for handing rows over.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import { readReturnCodes } from '../../ingest/return-codes.ts'
import type { Outcome, ReturnCodeRule } from '../../ingest/store/insert-spans.ts'
import { PROMOTED } from '../../ingest/store/promoted.ts'
import type { Store } from '../../ingest/store/store.ts'
import { runConventional, type ConventionalItem } from './conventional-run.ts'
import { field, nanosecondsText, quote, valueText, type KeyValue, type Long } from './conventional-json.ts'

const TEXTS_REMEMBERED_MAX = 100_000

// ── OTLP as protobufjs decodes it ────────────────────────────────────────────────────────────────────────────

type SpanEvent = {
  readonly time_unix_nano: Long
  readonly name: string
  readonly attributes: readonly KeyValue[]
}
type Span = {
  readonly trace_id: Buffer
  readonly span_id: Buffer
  readonly trace_state: string
  readonly parent_span_id: Buffer
  readonly name: string
  readonly kind: number
  readonly start_time_unix_nano: Long
  readonly end_time_unix_nano: Long
  readonly attributes: readonly KeyValue[]
  readonly events: readonly SpanEvent[]
  readonly status: { readonly message: string; readonly code: number } | null
}
type Request = {
  readonly resource_spans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] } | null
    readonly scope_spans: readonly {
      readonly scope: { readonly name: string } | null
      readonly spans: readonly Span[]
    }[]
  }[]
}

function buildDecoder(): (bytes: Uint8Array) => Request {
  protobuf.Reader.discardUnknown = true
  const proto = readFileSync(new URL('../../ingest/store/otlp-trace.proto', import.meta.url), 'utf8')
  const type = protobuf.parse(proto, { keepCase: true }).root.lookupType('Envelope')
  return (bytes) => type.decode(bytes) as unknown as Request
}

function durationNs(start: Long, end: Long): number {
  const ns = (end.high - start.high) * 4_294_967_296 + ((end.low >>> 0) - (start.low >>> 0))
  return Math.max(0, ns)
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

const cut = (text: string, length = 256) => (text.length > length ? text.slice(0, length) : text)

const GRPC_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]
const GRPC_OURS = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

function buildOutcomes(
  rules: readonly ReturnCodeRule[],
): (returnCode: string, httpStatus: number, rpcStatus: string, status: number) => Outcome {
  const remembered = new Map<string, Outcome | undefined>()
  const byCode = (code: string) => {
    if (remembered.has(code)) return remembered.get(code)
    const rule = rules.find(({ code: wanted }) =>
      wanted.endsWith('*') ? code.startsWith(wanted.slice(0, -1)) : code === wanted,
    )
    if (remembered.size < TEXTS_REMEMBERED_MAX) remembered.set(code, rule?.outcome)
    return rule?.outcome
  }
  return (returnCode, httpStatus, rpcStatus, status) => {
    const outcome = byCode(returnCode)
    if (outcome !== undefined) return outcome
    if (httpStatus === 425 || httpStatus === 429) return 'shed'
    if (httpStatus === 408 || httpStatus >= 500) return 'system_error'
    if (httpStatus >= 400) return 'business_reject'
    if (httpStatus > 0) return 'ok'
    if (rpcStatus === 'RESOURCE_EXHAUSTED') return 'shed'
    if (GRPC_OURS.has(rpcStatus)) return 'system_error'
    if (rpcStatus === 'OK') return 'ok'
    if (GRPC_NAMES.includes(rpcStatus)) return 'business_reject'
    return status === 2 ? 'system_error' : 'ok'
  }
}

type ResourceRow = {
  readonly res_id: string
  readonly service: string
  readonly attr_k: readonly string[]
  readonly attr_v: readonly string[]
}

/** What every span of a resource shares. */
type ResourcePart = {
  readonly row: ResourceRow
  readonly json: string
  /** Fallbacks of the attributes that are looked for on the span first. */
  readonly channel: string
  readonly region: string
  readonly branch: string
  readonly txnCode: string
  readonly traffic: string
  readonly caller: string
}

function resourcePart(attributes: readonly KeyValue[]): ResourcePart {
  const pairs = attributes
    .map(({ key, value }) => [key, valueText(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const values = new Map(pairs.toReversed())
  const find = (column: string) => {
    const promoted = PROMOTED.find((candidate) => candidate.column === column)
    const found = promoted?.keys.map((key) => values.get(key) ?? '').find((text) => text !== '')
    return cut(found ?? promoted?.fallback ?? '')
  }
  const id = fnv1a64(pairs.flat().join('\u0000'))
  const columns = ['service', 'version', 'system', 'environment', 'site', 'zone', 'cluster']
  return {
    row: {
      res_id: id,
      service: find('service'),
      attr_k: pairs.map(([key]) => key),
      attr_v: pairs.map(([, value]) => value),
    },
    json: `,"res_id":${id}${columns.map((column) => field(column, find(column))).join('')}`,
    channel: find('channel'),
    region: find('region'),
    branch: find('branch'),
    txnCode: find('txn_code'),
    traffic: find('traffic'),
    caller: find('caller'),
  }
}

function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return String(hash)
}

type Rows = { readonly json: string; readonly rows: number; readonly resources: readonly ResourceRow[] }

function buildRowMaker(rules: readonly ReturnCodeRule[]): (request: Request) => Rows {
  const outcomeOf = buildOutcomes(rules)
  const parts = new Map<string, ResourcePart>()

  function partOf(attributes: readonly KeyValue[]): ResourcePart {
    let key = ''
    for (const attribute of attributes) key += `${attribute.key}\u0000${valueText(attribute.value)}\u0000`
    let part = parts.get(key)
    if (part === undefined) {
      part = resourcePart(attributes)
      if (parts.size < TEXTS_REMEMBERED_MAX) parts.set(key, part)
    }
    return part
  }

  function row(span: Span, part: ResourcePart, scope: string): string {
    let { channel, region, branch, txnCode, traffic, caller } = part
    let [teller, returnCode, txnId, clientVersion, route, peer, peerOld] = ['', '', '', '', '', '', '']
    let [http, httpOld, rpc, rpcOld] = ['', '', '', '']
    let [keys, values] = ['', '']
    for (const attribute of span.attributes) {
      const { key } = attribute
      const text = valueText(attribute.value)
      switch (key) {
        case 'bank.channel':
          channel = text || channel
          continue
        case 'bank.region':
          region = text || region
          continue
        case 'bank.branch':
          branch = text || branch
          continue
        case 'bank.txn.code':
          txnCode = text || txnCode
          continue
        case 'bank.traffic':
          traffic = text || traffic
          continue
        case 'bank.caller':
          caller = text || caller
          continue
        case 'bank.teller':
          teller = text
          continue
        case 'bank.return.code':
          returnCode = text
          continue
        case 'bank.txn.id':
          txnId = text
          continue
        case 'bank.client.version':
          clientVersion = text
          continue
        case 'http.route':
          route = text
          continue
        case 'http.response.status_code':
          http = text
          continue
        case 'rpc.response.status_code':
          rpc = text
          continue
        case 'server.address':
          peer = text
          continue
        // Older names fill the column and stay in the list.
        case 'http.status_code':
          httpOld = text
          break
        case 'rpc.grpc.status_code':
          rpcOld = text
          break
        case 'net.peer.name':
          peerOld = text
          break
        default:
      }
      keys += keys === '' ? quote(key) : `,${quote(key)}`
      values += values === '' ? quote(text) : `,${quote(text)}`
    }
    const httpNumber = Number(http || httpOld)
    const httpStatus = httpNumber >= 0 && httpNumber <= 65_535 ? Math.trunc(httpNumber) : 0
    const rpcText = rpc || rpcOld
    const rpcStatus = cut(rpcText === '' ? '' : (GRPC_NAMES[Number(rpcText)] ?? rpcText), 64)
    const status = span.status?.code ?? 0
    const message = span.status?.message ?? ''
    const start = span.start_time_unix_nano
    returnCode = cut(returnCode)
    return `{"ts":${nanosecondsText(start)},"duration_ns":${durationNs(start, span.end_time_unix_nano)},"operation":${quote(cut(span.name, 512))},"kind":${span.kind},"outcome":"${outcomeOf(returnCode, httpStatus, rpcStatus, status)}"${status === 0 ? '' : `,"status":${status}`},"trace_id":"${span.trace_id.toString('hex', 0, 16)}","span_id":"${span.span_id.toString('hex', 0, 8)}"${span.parent_span_id.length === 0 ? '' : `,"parent_id":"${span.parent_span_id.toString('hex', 0, 8)}"`}${part.json}${field('channel', cut(channel))}${field('region', cut(region))}${field('branch', cut(branch))}${field('teller', cut(teller))}${field('txn_code', cut(txnCode))}${field('return_code', returnCode)}${field('txn_id', txnId)}${field('traffic', cut(traffic))}${field('client_version', cut(clientVersion))}${field('caller', cut(caller))}${field('route', cut(route))}${httpStatus === 0 ? '' : `,"http_status":${httpStatus}`}${field('rpc_status', rpcStatus)}${field('peer', cut(peer || peerOld))}${field('status_message', message)}${field('trace_state', span.trace_state)}${scope},"attr_k":[${keys}],"attr_v":[${values}]${span.events.length === 0 ? '' : eventColumns(span.events)}}\n`
  }

  return (request) => {
    let json = ''
    let spans = 0
    const resources: ResourceRow[] = []
    for (const { resource, scope_spans } of request.resource_spans) {
      const part = partOf(resource?.attributes ?? [])
      resources.push(part.row)
      for (const { scope, spans: members } of scope_spans) {
        const scopeJson = field('scope', scope?.name ?? '')
        for (const span of members) json += row(span, part, scopeJson)
        spans += members.length
      }
    }
    return { json, rows: spans, resources }
  }
}

function eventColumns(events: readonly SpanEvent[]): string {
  const texts = events.map(({ attributes }) =>
    JSON.stringify(Object.fromEntries(attributes.map(({ key, value }) => [key, valueText(value)]))),
  )
  return `,"event_ns":[${events.map((event) => nanosecondsText(event.time_unix_nano)).join(',')}],"event_name":${JSON.stringify(events.map(({ name }) => name))},"event_attr":${JSON.stringify(texts)}`
}

// ── Inserts ──────────────────────────────────────────────────────────────────────────────────────────────────

const INPUT: Readonly<Record<string, readonly [type: string, value?: string]>> = {
  ts: ['Int64', `fromUnixTimestamp64Nano(ts, 'UTC')`],
  duration_ns: ['UInt64'],
  service: ['String'],
  operation: ['String'],
  kind: ['Int8'],
  outcome: [`Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5)`],
  status: ['Int8'],
  trace_id: ['String', 'toFixedString(unhex(trace_id), 16)'],
  span_id: ['String', 'toFixedString(unhex(span_id), 8)'],
  parent_id: ['String', 'toFixedString(unhex(parent_id), 8)'],
  res_id: ['UInt64'],
  version: ['String'],
  system: ['String'],
  environment: ['String'],
  site: ['String'],
  zone: ['String'],
  cluster: ['String'],
  channel: ['String'],
  region: ['String'],
  branch: ['String'],
  teller: ['String'],
  txn_code: ['String'],
  return_code: ['String'],
  txn_id: ['String'],
  traffic: ['String'],
  client_version: ['String'],
  caller: ['String'],
  route: ['String'],
  http_status: ['UInt16'],
  rpc_status: ['String'],
  peer: ['String'],
  status_message: ['String'],
  trace_state: ['String'],
  scope: ['String'],
  attr_k: ['Array(String)'],
  attr_v: ['Array(String)'],
  event_ns: ['Array(UInt64)'],
  event_name: ['Array(String)'],
  event_attr: ['Array(String)'],
}
const STRUCTURE = Object.entries(INPUT)
  .map(([name, [type]]) => `${name} ${type}`)
  .join(', ')
const SELECTED = Object.entries(INPUT)
  .map(([name, [, value]]) => (value === undefined ? name : `${value} AS ${name}`))
  .join(', ')

type Item = ConventionalItem & Omit<Rows, 'json' | 'rows'>

function buildWriter(store: Store): (batch: readonly Item[], token: string) => Promise<void> {
  const seen = new Set<string>()
  return async (batch, token) => {
    const unseen = new Map(
      batch
        .flatMap(({ resources }) => resources)
        .filter(({ res_id }) => !seen.has(res_id))
        .map((resource) => [resource.res_id, resource]),
    )
    if (unseen.size > 0) {
      const columns = {
        res_id: 'UInt64',
        service: 'String',
        attr_k: 'Array(String)',
        attr_v: 'Array(String)',
        seen_at: { type: 'UInt32', value: `now('UTC')` },
      }
      await store.insertRows('resources', columns, [...unseen.values()], `${token}/resources`)
      for (const id of unseen.keys()) seen.add(id)
    }
    const sql = (source: (structure: string) => string) =>
      `INSERT INTO spans (${Object.keys(INPUT).join(', ')}, batch) SELECT ${SELECTED}, sipHash64('${token}') AS batch FROM ${source(STRUCTURE)}`
    const body = batch.map(({ bytes }) => bytes)
    await store.transport.insert({ body, format: 'JSONEachRow', statements: [{ sql, token }] })
  }
}

// ── The pipeline ─────────────────────────────────────────────────────────────────────────────────────────────

await runConventional<Item>((store, { returnCodes }) => {
  const decode = buildDecoder()
  const rowsOf = buildRowMaker(readReturnCodes(returnCodes))
  const write = buildWriter(store)
  return {
    write,
    itemOf(value) {
      const { json, rows, resources } = rowsOf(decode(value))
      return { bytes: Buffer.from(json), rows, resources }
    },
  }
})
