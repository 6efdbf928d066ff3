// The two statements that turn an envelope of OTLP bytes into rows: resources first, then spans. The engine
// parses; JavaScript never sees an attribute. Pure text building: nothing here runs a query.

import { fileURLToPath } from 'node:url'
import { literal } from './literal.ts'
import { MOVED_KEYS, PROMOTED } from './promoted.ts'

const PROTO = fileURLToPath(new URL('./otlp-trace.proto', import.meta.url))

/** `LIM*` and the like: a return code or, with a trailing `*`, all that begin so. */
export type ReturnCodeRule = { readonly code: string; readonly outcome: Outcome }
export type Outcome = 'ok' | 'business_reject' | 'business_error' | 'shed' | 'system_error'

const EMPTY = `''`
const listOf = (texts: readonly string[]) => texts.map(literal).join(', ')

/** What a batch holds beyond the usual; each costs, so the statement is made for the batch. */
export type SpanShape = {
  /** Some attribute is a list, bytes or a map (the walk tells). Measured: reading for them costs 0.9 µs a span. */
  readonly hasLists: boolean
  /** Some resource carries an attribute that its spans inherit (`either` in promoted.ts). */
  readonly inherits: boolean
  /** Whether a span may carry the attribute; false is certain. A look-up costs about 0.1 µs a span. */
  readonly mayHold: (key: string) => boolean
}

// Integers, booleans and doubles are Nullable so that 0 and false are told from absent; a string needs no mark.
const SCALAR =
  'string_value String, int_value Nullable(Int64), bool_value Nullable(Bool), double_value Nullable(Float64)'
const LISTS = `, bytes_value String, array_value Tuple(values Array(Tuple(${SCALAR})))`
const attributes = (hasLists: boolean) =>
  `Array(Tuple(key LowCardinality(String), value Tuple(${SCALAR}${hasLists ? LISTS : ''})))`
export const RESOURCE = `resource Tuple(attributes ${attributes(true)})`

function scopeSpans(hasLists: boolean): string {
  const event = `time_unix_nano UInt64, name String, attributes ${attributes(hasLists)}`
  const span = `trace_id String, span_id String, trace_state String, parent_span_id String, name LowCardinality(String), kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes ${attributes(hasLists)}, events Array(Tuple(${event})), status Tuple(message String, code Int32)`
  return `scope_spans Array(Tuple(scope Tuple(name LowCardinality(String)), spans Array(Tuple(${span}))))`
}

/** How the engine reads the envelope; part of every statement's inline settings. */
export const ENVELOPE_SETTINGS = [
  // A schema given as text would be cached as a file in the working directory.
  `format_schema_source='file'`,
  `format_schema=${literal(PROTO)}`,
  `format_schema_message_name='ResourceSpans'`,
].join(', ')

const scalarText = (s: string, i: string, b: string, d: string, otherwise: string) =>
  `multiIf(${s} != '', ${s}, isNotNull(${i}), toString(assumeNotNull(${i})), isNotNull(${b}), toString(assumeNotNull(${b})), isNotNull(${d}), toString(assumeNotNull(${d})), ${otherwise})`

/** All values of an attribute list as texts; lists as JSON, bytes as base64. */
export function valueTexts(list: string, hasLists: boolean): string {
  const v = `${list}.value`
  const scalars = `${v}.string_value, ${v}.int_value, ${v}.bool_value, ${v}.double_value`
  if (!hasLists) return `arrayMap((s, i, b, d) -> ${scalarText('s', 'i', 'b', 'd', `''`)}, ${scalars})`
  const item = scalarText('y.string_value', 'y.int_value', 'y.bool_value', 'y.double_value', `''`)
  const otherwise = `multiIf(notEmpty(a), toJSONString(arrayMap(y -> ${item}, a)), base64Encode(x))`
  return `arrayMap((s, i, b, d, x, a) -> ${scalarText('s', 'i', 'b', 'd', otherwise)}, ${scalars}, ${v}.bytes_value, ${v}.array_value.values)`
}

/** The first of some keys that is there. */
export function lookUp(
  keys: readonly string[],
  list: { keys: string; values: string },
  otherwise: string,
): string {
  return firstOf([...keys.map((key) => `${list.values}[indexOf(${list.keys}, ${literal(key)})]`), otherwise])
}

/** The first text that is not empty; the last one whatever it is. */
function firstOf(texts: readonly string[]): string {
  const [head = EMPTY, ...rest] = texts.filter((text, index) => text !== EMPTY || index === texts.length - 1)
  return rest.length === 0 || (rest.length === 1 && rest[0] === EMPTY)
    ? head
    : `if(${head} != '', ${head}, ${firstOf(rest)})`
}

// gRPC codes by number, for instrumentations that send the number.
const GRPC_NAMES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  )
const GRPC_OURS = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']

// As in the Enum8 of spans.outcome: numbers cost nothing to store, names would be looked up per row.
const OUTCOMES: Readonly<Record<Outcome, string>> = {
  ok: 'toInt8(1)',
  business_reject: 'toInt8(2)',
  business_error: 'toInt8(3)',
  shed: 'toInt8(4)',
  system_error: 'toInt8(5)',
}

/** Return-code map first, then HTTP or RPC code, then span status. */
function outcomeExpression(rules: readonly ReturnCodeRule[]): string {
  const prefixes = rules.filter(({ code }) => code.endsWith('*'))
  const exact = rules.filter(({ code }) => !code.endsWith('*'))
  const cases: [string, Outcome][] = [
    ...prefixes.map(({ code, outcome }): [string, Outcome] => [
      `startsWith(return_code, ${literal(code.slice(0, -1))})`,
      outcome,
    ]),
    ['http_status IN (425, 429)', 'shed'],
    ['http_status = 408 OR http_status >= 500', 'system_error'],
    ['http_status >= 400', 'business_reject'],
    ['http_status > 0', 'ok'],
    [`rpc_status = 'RESOURCE_EXHAUSTED'`, 'shed'],
    [`rpc_status IN (${listOf(GRPC_OURS)})`, 'system_error'],
    [`rpc_status = 'OK'`, 'ok'],
    [`rpc_status IN (${listOf(GRPC_NAMES)})`, 'business_reject'],
    ['status = 2', 'system_error'],
  ]
  const general = `multiIf(${cases.map(([test, outcome]) => `${test}, ${OUTCOMES[outcome]}`).join(', ')}, ${OUTCOMES.ok})`
  if (exact.length === 0) return general
  // One look-up for all exact codes: a branch for each would cost half a millisecond an insert.
  const codes = listOf(exact.map(({ code }) => code))
  const outcomes = exact.map(({ outcome }) => OUTCOMES[outcome]).join(', ')
  return `if(transform(return_code, [${codes}], [${outcomes}], toInt8(0)) AS mapped != 0, mapped, ${general})`
}

export const RESOURCE_ID = `arraySort(arrayZip(resource.attributes.key, ${valueTexts('resource.attributes', true)}))`

/**
 * `INSERT INTO resources …` over an envelope.
 * @param source a table function or input that yields the envelope, made by the transport from a structure
 */
export function insertResources(source: (structure: string) => string): string {
  return `INSERT INTO resources (res_id, service, attr_k, attr_v, seen_at)
SELECT DISTINCT sipHash64(toString(pairs)) AS res_id, attr_v[indexOf(attr_k, 'service.name')] AS service, pairs.1 AS attr_k, pairs.2 AS attr_v, now('UTC') AS seen_at
FROM (SELECT ${RESOURCE_ID} AS pairs FROM ${source(RESOURCE)})`
}

/**
 * `INSERT INTO spans …` over an envelope; views fill the rollups from the same block.
 * @param batch  SQL literal of the batch id, a UInt64
 */
export function insertSpans(
  source: (structure: string) => string,
  batch: string,
  rules: readonly ReturnCodeRule[],
  { hasLists, inherits, mayHold }: SpanShape,
): string {
  const resourceColumns = PROMOTED.filter(({ level }) => level !== 'span').map(
    ({ column, keys, level, fallback }) => {
      const otherwise = level === 'resource' ? literal(fallback ?? '') : EMPTY
      const name = level === 'resource' ? column : `res_${column}`
      return `toLowCardinality(substring(${lookUp(keys, { keys: 'res_k', values: 'res_v' }, otherwise)}, 1, 256)) AS ${name}`
    },
  )
  const spanColumns = PROMOTED.filter(({ level }) => level !== 'resource').map(
    ({ column, keys, level, fallback }) => {
      const inherited = level === 'either' && inherits ? `toString(res_${column})` : EMPTY
      const own = lookUp(keys.filter(mayHold), { keys: 'k', values: 'v' }, inherited)
      return `${columnForm(column, firstOf([own, literal(fallback ?? '')]))} AS ${column}`
    },
  )
  const moved = MOVED_KEYS.filter(mayHold)
  const kept = moved.length === 0 ? `arrayMap(x -> true, k)` : `arrayMap(x -> x NOT IN (${listOf(moved)}), k)`
  return `INSERT INTO spans (${SPAN_COLUMNS.join(', ')})
WITH s.attributes.key AS k, ${valueTexts('s.attributes', hasLists)} AS v, ${kept} AS kept
SELECT fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano), 'UTC') AS ts,
  if(s.end_time_unix_nano > s.start_time_unix_nano, s.end_time_unix_nano - s.start_time_unix_nano, 0) AS duration_ns,
  service, substring(s.name, 1, 512) AS operation, toInt8(s.kind) AS kind,
  ${outcomeExpression(rules)} AS outcome, toInt8(s.status.code) AS status,
  toFixedString(substring(s.trace_id, 1, 16), 16) AS trace_id, toFixedString(substring(s.span_id, 1, 8), 8) AS span_id, toFixedString(substring(s.parent_span_id, 1, 8), 8) AS parent_id,
  res_id, ${batch} AS batch, version, system, environment, site, zone, cluster,
  ${spanColumns.join(',\n  ')},
  s.status.message AS status_message, s.trace_state AS trace_state, ss.scope.name AS scope,
  arrayFilter((x, keep) -> keep, k, kept) AS attr_k, arrayFilter((x, keep) -> keep, v, kept) AS attr_v,
  s.events.time_unix_nano AS event_ns, s.events.name AS event_name,
  arrayMap(e -> toJSONString(CAST((e.attributes.key, ${valueTexts('e.attributes', hasLists)}), 'Map(String, String)')), s.events) AS event_attr
FROM (
  SELECT ${resourceColumns.join(', ')}, res_id, scope_spans
  FROM (SELECT pairs.1 AS res_k, pairs.2 AS res_v, sipHash64(toString(pairs)) AS res_id, scope_spans
    FROM (SELECT ${RESOURCE_ID} AS pairs, scope_spans FROM ${source(`${RESOURCE}, ${scopeSpans(hasLists)}`)}))
) ARRAY JOIN scope_spans AS ss ARRAY JOIN ss.spans AS s`
}

// Functions of a dictionary column run once per distinct value, so what can become one does so first.
function columnForm(column: string, text: string): string {
  const dictionary = `toLowCardinality(${text})`
  if (column === 'http_status') return `toUInt16OrZero(${dictionary})`
  if (column === 'txn_id') return text
  if (column === 'rpc_status') {
    const numbers = GRPC_NAMES.map((_, code) => String(code))
    return `substring(transform(${dictionary}, [${listOf(numbers)}], [${listOf(GRPC_NAMES)}]), 1, 64)`
  }
  return `substring(${dictionary}, 1, 256)`
}

/** Keys of a resource that its spans inherit. */
export const INHERITED_KEYS: readonly string[] = PROMOTED.filter(({ level }) => level === 'either').flatMap(
  ({ keys }) => keys,
)

export const SPAN_COLUMNS = [
  'ts',
  'duration_ns',
  'service',
  'operation',
  'kind',
  'outcome',
  'status',
  'trace_id',
  'span_id',
  'parent_id',
  'res_id',
  'batch',
  'version',
  'system',
  'environment',
  'site',
  'zone',
  'cluster',
  ...PROMOTED.filter((promoted) => promoted.level !== 'resource').map((promoted) => promoted.column),
  'status_message',
  'trace_state',
  'scope',
  'attr_k',
  'attr_v',
  'event_ns',
  'event_name',
  'event_attr',
] as const
