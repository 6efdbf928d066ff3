// The two statements that turn an envelope of OTLP bytes into rows: resources first, then spans. The engine
// parses; JavaScript never sees an attribute. Pure text building: nothing here runs a query.

import { fileURLToPath } from 'node:url'
import { literal } from './literal.ts'
import { isMasking, MASK, maskedValues, NO_MASKING, type Masking } from './masking.ts'
import { MOVED_KEYS, PROMOTED } from './promoted.ts'

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
  /** Some text of a span, or of a resource, may hold a number that is to be masked; false is certain. */
  readonly hasNumbers: boolean
  readonly hasResourceNumbers: boolean
  /** Whether a span may carry the attribute; false is certain. A look-up costs about 0.1 µs a span. */
  readonly mayHold: (key: string) => boolean
  /** Attribute keys that spans can be found by (SURETY_SEARCH_KEYS). */
  readonly searchKeys?: readonly string[]
  /** Set when some span may start from here on, ms since epoch: ahead of our clock. */
  readonly aheadFromMs?: number
}

/** A batch that may hold anything. */
export const ANY_SHAPE: SpanShape = {
  hasLists: true,
  inherits: true,
  hasNumbers: true,
  hasResourceNumbers: true,
  mayHold: () => true,
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

/** How the engine reads the envelope. */
export const TRACES_SCHEMA = {
  path: fileURLToPath(new URL('./otlp-trace.proto', import.meta.url)),
  message: 'ResourceSpans',
} as const

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

/** Return-code map first, then HTTP or RPC code, then span status: of the columns return_code, http_status, rpc_status, status. */
export function outcomeExpression(rules: readonly ReturnCodeRule[]): string {
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

// OpenTelemetry's threshold for rejection, up to 14 hexadecimal digits of a 56-bit number, zeros at the end left out;
// https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
const THRESHOLD = `extract(s.trace_state, '(?:^|,)[ \\\\t]*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;, \\\\t]|$)')`
const TWO_56 = '72057594037927936'
// One span never stands for more than a million: whoever claims more would decide every rate alone.
const WEIGHT_MAX = 1_000_000_000

/** The adjusted count of a span, thousandths: tracestate first, then the attribute, else one. */
function weightExpression(mayHold: (key: string) => boolean): string {
  const bounded = (weight: string) => `toUInt32(least(${WEIGHT_MAX}, round(1000 * (${weight}))))`
  const probability = `toFloat64OrZero(${lookUp(['sampling.probability'], { keys: 'k', values: 'v' }, EMPTY)})`
  const otherwise = mayHold('sampling.probability')
    ? `if(${probability} > 0 AND ${probability} < 1, ${bounded(`1 / ${probability}`)}, 1000)`
    : '1000'
  const rejected = `reinterpretAsUInt64(reverse(unhex(rightPad(${THRESHOLD}, 14, '0'))))`
  return `multiIf(s.trace_state = '' OR ${THRESHOLD} = '', ${otherwise}, ${bounded(`${TWO_56} / (${TWO_56} - ${rejected})`)})`
}

// Masked before the hash is taken: both statements must come to the same.
export const resourcePairs = (masking: Masking) =>
  `arraySort(arrayZip(resource.attributes.key, ${maskedValues('resource.attributes.key', valueTexts('resource.attributes', true), masking)}))`

/**
 * `INSERT INTO resources …` over an envelope.
 * @param source a table function or input that yields the envelope, made by the transport from a structure
 */
export function insertResources(
  source: (structure: string) => string,
  masking: Masking = NO_MASKING,
  hasNumbers = true,
): string {
  return `INSERT INTO resources (res_id, service, attr_k, attr_v, seen_at)
SELECT DISTINCT sipHash64(toString(pairs)) AS res_id, attr_v[indexOf(attr_k, 'service.name')] AS service, pairs.1 AS attr_k, pairs.2 AS attr_v, now('UTC') AS seen_at
FROM (SELECT ${resourcePairs(hasNumbers ? masking : NO_MASKING)} AS pairs FROM ${source(RESOURCE)})`
}

/**
 * `INSERT INTO spans …` over an envelope; views fill the rollups from the same block.
 * @param batch  SQL literal of the batch id, a UInt64
 */
export function insertSpans(
  source: (structure: string) => string,
  batch: string,
  rules: readonly ReturnCodeRule[],
  { hasLists, inherits, hasNumbers, hasResourceNumbers, mayHold, searchKeys = [], aheadFromMs }: SpanShape,
  masking: Masking = NO_MASKING,
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
  const searched = searchKeys.filter(mayHold)
  const items = `arrayFilter(x -> x != 0, arrayMap((x, y) -> if(x IN (${listOf(searched)}) AND y != '', sipHash64(x, y), 0), k, v))`
  const resource = hasResourceNumbers ? masking : NO_MASKING
  const own = maskingOf(masking, hasNumbers, mayHold)
  const eventValues = maskedValues('e.attributes.key', valueTexts('e.attributes', hasLists), own)
  const texts = spanTexts(own)
  // Counted where it costs least: attributes by comparison, the rest by what a mask begins with.
  const marks = (text: string) => `countSubstrings(${text}, ${literal(MASK)})`
  const masked = isMasking(own)
    ? `arrayCount((x, y) -> x != y, raw, v) + ${marks('status_message')} + ${marks('operation')} + arraySum(x -> ${marks('x')}, event_attr)`
    : '0'
  return `INSERT INTO spans (${SPAN_COLUMNS.join(', ')}${searched.length === 0 ? '' : ', search_items'}${aheadFromMs === undefined ? '' : ', is_ahead'})
WITH ${kept} AS kept
SELECT fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano), 'UTC') AS ts,
  if(s.end_time_unix_nano > s.start_time_unix_nano, s.end_time_unix_nano - s.start_time_unix_nano, 0) AS duration_ns,
  service, substring(${texts.name}, 1, 512) AS operation, toInt8(s.kind) AS kind,
  ${outcomeExpression(rules)} AS outcome, toInt8(s.status.code) AS status,
  toFixedString(substring(s.trace_id, 1, 16), 16) AS trace_id, toFixedString(substring(s.span_id, 1, 8), 8) AS span_id, toFixedString(substring(s.parent_span_id, 1, 8), 8) AS parent_id,
  res_id, ${batch} AS batch, version, system, environment, site, zone, cluster,
  ${spanColumns.join(',\n  ')},
  ${weightExpression(mayHold)} AS weight,
  ${texts.statusMessage} AS status_message, s.trace_state AS trace_state, scope,
  arrayFilter((x, keep) -> keep, k, kept) AS attr_k, arrayFilter((x, keep) -> keep, v, kept) AS attr_v,
  s.events.time_unix_nano AS event_ns, ${texts.eventNames} AS event_name,
  arrayMap(e -> toJSONString(CAST((e.attributes.key, ${eventValues}), 'Map(String, String)')), s.events) AS event_attr,
  toUInt16(least(${masked}, 65535)) AS masked${searched.length === 0 ? '' : `,\n  ${items} AS search_items`}${aheadFromMs === undefined ? '' : `,\n  ts > fromUnixTimestamp64Milli(${Math.floor(aheadFromMs)}, 'UTC') AS is_ahead`}
FROM (SELECT *, ${texts.values} AS v
FROM (SELECT * EXCEPT (scope_spans), ss.scope.name AS scope, s, s.attributes.key AS k, ${valueTexts('s.attributes', hasLists)} AS raw
FROM (
  SELECT ${resourceColumns.join(', ')}, res_id, scope_spans
  FROM (SELECT pairs.1 AS res_k, pairs.2 AS res_v, sipHash64(toString(pairs)) AS res_id, scope_spans
    FROM (SELECT ${resourcePairs(resource)} AS pairs, scope_spans FROM ${source(`${RESOURCE}, ${scopeSpans(hasLists)}`)}))
) ARRAY JOIN scope_spans AS ss ARRAY JOIN ss.spans AS s))`
}

/**
 * Values, name, status message and names of events; masked in one go, because each place where texts are masked costs the
 * engine milliseconds to analyse.
 */
function spanTexts(masking: Masking) {
  if (!isMasking(masking)) {
    return {
      values: 'raw',
      name: 's.name',
      statusMessage: 's.status.message',
      eventNames: 's.events.name',
    }
  }
  const all = `arrayConcat(raw, [toString(s.name), s.status.message], arrayMap(x -> toString(x), s.events.name))`
  return {
    values: `${maskedValues(`arrayResize(k, length(k) + 2 + length(s.events))`, all, masking)} AS texts, arraySlice(texts, 1, length(k))`,
    name: 'toLowCardinality(texts[length(k) + 1])',
    statusMessage: 'texts[length(k) + 2]',
    eventNames: 'arraySlice(texts, length(k) + 3)',
  }
}

/** What is to be masked in the spans of this batch: each part costs milliseconds in every statement. */
function maskingOf(masking: Masking, hasNumbers: boolean, mayHold: (key: string) => boolean): Masking {
  return {
    ...masking,
    kinds: hasNumbers ? masking.kinds : [],
    keys: masking.keys.filter(mayHold),
    except: masking.except.filter(mayHold),
  }
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
  'weight',
  'status_message',
  'trace_state',
  'scope',
  'attr_k',
  'attr_v',
  'event_ns',
  'event_name',
  'event_attr',
  'masked',
] as const
