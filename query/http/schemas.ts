// The API contract: every request and reply of the query service as zod shapes. The OpenAPI document, the
// routes' validation and the dashboards' types all come from here. No behaviour lives here.

import { z } from 'zod'
import { EVENT_KIND_NAMES } from '../../ingest/store/event-kinds.ts'

/** An instant: RFC 3339 with zone, `now`, or relative to now: `-15m`, `-24h`, `-7d`. */
export const Instant = z
  .string()
  .max(40)
  .regex(
    /^(now|-\d{1,6}(s|m|h|d)|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))$/,
    'must be RFC 3339 with a zone, «now», or relative such as -15m, -24h, -7d',
  )

export const RangeQuery = z.object({
  from: Instant.default('-15m').describe('start of the range, inclusive; default -15m'),
  to: Instant.default('now').describe('end of the range, exclusive; default now'),
})

const Scope = z.object({
  site: z.string().max(256).optional().describe('only requests served at this bank.site'),
  channel: z.string().max(256).optional().describe('only requests of this bank.channel'),
  region: z.string().max(256).optional().describe('only requests of this bank.region'),
  branch: z.string().max(256).optional().describe('only requests of this bank.branch'),
  traffic: z.string().max(64).default('live').describe('bank.traffic; default live'),
})

export const Outcome = z.enum(['ok', 'business_reject', 'business_error', 'shed', 'system_error'])

/** Requests by outcome. SERVER and CONSUMER spans only. */
export const Outcomes = z.object({
  ok: z.number().int(),
  business_reject: z.number().int(),
  business_error: z.number().int(),
  shed: z.number().int(),
  system_error: z.number().int(),
})
export type Outcomes = z.infer<typeof Outcomes>

/** Latency of requests in milliseconds; null without requests, because no evidence is not a fast answer. */
export const Latency = z.object({
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
})

export const ServicesQuery = RangeQuery.extend(Scope.shape)
export const ServiceItem = z
  .object({
    service: z.string(),
    version: z.string().describe('service.version; empty when the service does not say'),
    system: z.string().describe('bank.system, or service.namespace'),
    requests: z.number().int(),
    ratePerSecond: z.number().describe('requests per second over the whole range'),
    errorRatio: z.number().nullable().describe('bad outcomes ÷ requests, 0–1; null without requests'),
    outcomes: Outcomes,
    sampled: z
      .boolean()
      .describe(
        'some spans stand for more than themselves; requests, rates and ratios count what they stand for',
      ),
    lastSeenAt: z
      .string()
      .describe('end of the last bucket with a request, RFC 3339: 10 s, over two days a minute or an hour'),
  })
  .extend(Latency.shape)
export type ServiceItem = z.infer<typeof ServiceItem>
export const ServicesReply = z.object({
  from: z.string(),
  to: z.string(),
  items: z.array(ServiceItem),
})
export type ServicesReply = z.infer<typeof ServicesReply>

export const ServiceParams = z.object({ service: z.string().min(1).max(512) })
export const ServiceSeriesQuery = ServicesQuery.extend({
  stepSeconds: z.coerce
    .number()
    .int()
    .min(10)
    .max(86_400)
    .multipleOf(10)
    .optional()
    .describe('width of a point in seconds, a multiple of 10; by default about 120 points'),
})
export const ServiceSeriesReply = z.object({
  service: z.string(),
  from: z.string(),
  to: z.string(),
  stepSeconds: z.number().int().describe('width of a point of `requests`, `bad`'),
  latencyStepSeconds: z.number().int().describe('width of a latency point; at least 60'),
  versions: z.array(
    z.object({
      version: z.string(),
      points: z.array(
        z.object({
          at: z.string().describe('start of the point, RFC 3339'),
          requests: z.number().int(),
          bad: z.number().int().describe('business_error + shed + system_error'),
          errorRatio: z.number().nullable(),
        }),
      ),
      latency: z.array(z.object({ at: z.string() }).extend(Latency.shape)),
    }),
  ),
})
export type ServiceSeriesReply = z.infer<typeof ServiceSeriesReply>

/** By OpenTelemetry's number. */
export const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const

/** How long a look back is. */
export const Window = z
  .string()
  .regex(/^\d{1,6}(s|m|h|d)$/, 'must be a count and s, m, h or d, such as 15m')
  .describe('length of the window, in whole minutes, at most 7d')

export const MapQuery = z.object({
  from: Instant.optional().describe('start of the range, inclusive; default -15m'),
  to: Instant.optional().describe('end of the range, exclusive; default now'),
  at: Instant.optional().describe('instead of from and to: the map as of this instant'),
  window: Window.optional().describe('with `at`: how long before it; whole minutes, at most 7d; default 15m'),
  traffic: Scope.shape.traffic,
})
export const MapNode = z.object({
  kind: z.enum(['service', 'peer']).describe('peer: called, and no service of that name answered'),
  name: z.string(),
  requests: z.number().int().describe('of a service its requests, of a peer the calls to it'),
  ratePerSecond: z.number(),
  errorRatio: z.number().nullable().describe('of a peer as its callers saw it'),
})
export type MapNode = z.infer<typeof MapNode>
export const MapEdge = z.object({
  caller: z.string().describe('service'),
  callee: z.string().describe('name of a node'),
  calleeKind: MapNode.shape.kind,
  requests: z.number().int(),
  ratePerSecond: z.number(),
  errorRatio: z.number().nullable().describe('failed calls ÷ calls, as the caller saw it'),
  calleeErrorRatio: z.number().nullable().describe('as the callee saw it; null for a peer'),
  callerP95Ms: z.number().nullable().describe('with the way there and back'),
  calleeP95Ms: z.number().nullable().describe('without; null for a peer'),
})
export type MapEdge = z.infer<typeof MapEdge>
export const MapReply = z.object({
  from: z.string(),
  to: z.string(),
  derivedUntil: z
    .string()
    .nullable()
    .describe(
      'end of the newest minute whose calls are known, usually one to two minutes ago; null when none is',
    ),
  derivedMinutes: z
    .number()
    .int()
    .describe('minutes of the range whose calls are known; minutes without spans are none'),
  isComplete: z.boolean().describe('false when there are more nodes or edges than are told'),
  nodes: z.array(MapNode).describe('2,000 services at most'),
  edges: z.array(MapEdge).describe('most calls first, 2,000 at most'),
})
export type MapReply = z.infer<typeof MapReply>

export const ServiceErrorsQuery = RangeQuery.extend({
  traffic: Scope.shape.traffic,
  limit: z.coerce.number().int().min(1).max(500).default(50),
})
export const ErrorSignature = z.object({
  signature: z
    .string()
    .describe('16 hexadecimal digits; the same for what differs in numbers, ids and quoted texts only'),
  type: z.string().describe('exception.type'),
  message: z.string().describe('exception.message with <n>, <hex>, <id>, <text> for what differs'),
  frame: z.string().describe('top frame of the stack; empty when there was none'),
  occurrences: z.number().int().describe('in the range'),
  versions: z.array(z.object({ version: z.string(), occurrences: z.number().int() })),
  firstSeenAt: z.string().describe('since minutes are kept, not only in the range'),
  firstSeenVersion: z.string(),
  isNewInVersion: z
    .boolean()
    .describe('an older version ran before firstSeenVersion began, and none of the older ones shows it'),
  lastSeenAt: z.string(),
  exampleTraceId: z.string(),
})
export type ErrorSignature = z.infer<typeof ErrorSignature>
export const ServiceErrorsReply = z.object({
  service: z.string(),
  from: z.string(),
  to: z.string(),
  items: z.array(ErrorSignature).describe('most frequent first'),
})

export const TraceParams = z.object({
  traceId: z.string().regex(/^[0-9a-fA-F]{32}$/, 'must be 32 hexadecimal digits'),
})
export const Span = z.object({
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  service: z.string(),
  version: z.string(),
  site: z.string(),
  name: z.string(),
  kind: z.enum(SPAN_KINDS),
  startAt: z.string().describe('RFC 3339 with nanoseconds'),
  isAhead: z
    .literal(true)
    .optional()
    .describe('it started more than five minutes after it came, by our clock; left out otherwise'),
  durationMs: z.number(),
  outcome: Outcome,
  statusCode: z.enum(['UNSET', 'OK', 'ERROR']),
  statusMessage: z.string(),
  attributes: z.record(z.string(), z.string()),
  resource: z.record(z.string(), z.string()),
  events: z.array(
    z.object({ at: z.string(), name: z.string(), attributes: z.record(z.string(), z.string()) }),
  ),
})
export const TraceReply = z.object({ traceId: z.string(), spans: z.array(Span) })
export type TraceReply = z.infer<typeof TraceReply>

const AttributeIs = z
  .string()
  .max(2048)
  .regex(/^[^=]+=/, 'must be key=value')
const name = z.string().min(1).max(512).optional()
export const TraceSearchQuery = RangeQuery.extend({
  from: Instant.default('-1h').describe('start of the range, inclusive; default -1h; at most 31 days'),
  service: name,
  version: name,
  operation: name.describe('span name'),
  outcome: Outcome.optional(),
  channel: name.describe('bank.channel'),
  region: name.describe('bank.region'),
  minDurationMs: z.coerce.number().min(0).max(1e9).optional(),
  maxDurationMs: z.coerce.number().min(0).max(1e9).optional(),
  attribute: z
    .union([AttributeIs, z.array(AttributeIs).max(8)])
    .optional()
    .describe(
      'key=value, repeatable up to 8 times; bank.txn.id and SURETY_SEARCH_KEYS are looked up, others are read',
    ),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const FoundSpan = z.object({
  traceId: z.string(),
  spanId: z.string(),
  service: z.string(),
  version: z.string(),
  operation: z.string(),
  kind: z.enum(SPAN_KINDS),
  outcome: Outcome,
  startAt: z.string().describe('RFC 3339 with nanoseconds'),
  durationMs: z.number(),
})
export type FoundSpan = z.infer<typeof FoundSpan>
export const TraceSearchReply = z.object({
  from: z.string(),
  to: z.string(),
  items: z.array(FoundSpan).describe('newest first'),
  isComplete: z.boolean().describe('false when the limit was reached: there may be older matches'),
})
export type TraceSearchReply = z.infer<typeof TraceSearchReply>

export const AttributeParams = z.object({ key: z.string().min(1).max(128) })
export const AttributesQuery = z.object({
  prefix: z.string().max(256).default('').describe('what has been typed'),
  service: name,
  limit: z.coerce.number().int().min(1).max(500).default(50),
})
export const AttributesReply = z.object({
  items: z
    .array(z.string())
    .describe('from a sample of spans, renewed every five minutes; rare ones may be missing'),
})
export type AttributesReply = z.infer<typeof AttributesReply>

export const EventsQuery = RangeQuery.extend({
  from: Instant.default('-24h'),
  service: z.string().max(512).optional(),
  kind: z.enum(EVENT_KIND_NAMES).optional(),
  name: z.string().max(256).optional().describe('event_name, or the reason of a Kubernetes event'),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})
export const EventItem = z.object({
  at: z.string().describe('RFC 3339 with nanoseconds'),
  name: z.string(),
  kind: z.enum(EVENT_KIND_NAMES).describe('by name; other when the name is not known'),
  severity: z.number().int().describe('severity_number, 1–24; 0 for none'),
  body: z.string(),
  service: z.string(),
  version: z.string(),
  system: z.string(),
  environment: z.string(),
  site: z.string(),
  zone: z.string(),
  cluster: z.string(),
  namespace: z.string(),
  node: z.string(),
  pod: z.string(),
  traceId: z.string().nullable(),
  spanId: z.string().nullable(),
  attributes: z.record(z.string(), z.string()),
})
export type EventItem = z.infer<typeof EventItem>
export const EventsReply = z.object({ from: z.string(), to: z.string(), items: z.array(EventItem) })
export type EventsReply = z.infer<typeof EventsReply>

export const ReleaseEventsQuery = RangeQuery.extend({
  from: Instant.default('-24h'),
  service: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})
export const ReleaseEvent = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string().describe('as sent, e.g. dev.cdevents.service.deployed.0.2.0'),
  at: z.string().describe('when it happened, by its sender'),
  receivedAt: z.string(),
  service: z.string().describe('empty when the event names none'),
  version: z.string(),
  environment: z.string(),
  action: z
    .enum(['deployed', 'upgraded', 'rolledback', 'removed', 'published', 'other'])
    .describe('what a known type means for a service; other when it means nothing for one'),
  description: z.string().describe('short free text for a marker; may be empty'),
})
export type ReleaseEvent = z.infer<typeof ReleaseEvent>
export const ReleaseEventsReply = z.object({ from: z.string(), to: z.string(), items: z.array(ReleaseEvent) })
export type ReleaseEventsReply = z.infer<typeof ReleaseEventsReply>

export const IngestStatusReply = z.object({
  at: z.string(),
  rowsPerSecond: z.number().describe('spans stored per second over the last minute'),
  newestSpanAt: z.string().nullable().describe('start of the newest stored span; null when there is none'),
  lagSeconds: z.number().nullable().describe('now − newest stored span; null when there is none'),
  spans: z.object({
    rows: z.number().int(),
    bytesOnDisk: z.number().int(),
    parts: z.number().int(),
    aheadOfNow: z
      .number()
      .int()
      .describe('spans that lie more than five minutes ahead of now; in no answer up to now'),
  }),
  tables: z.array(
    z.object({
      table: z.string(),
      rows: z.number().int(),
      bytesOnDisk: z.number().int(),
      parts: z.number().int(),
    }),
  ),
  deadLetters: z.object({
    lastHour: z.number().int(),
    total: z.number().int(),
    newest: z.array(
      z.object({ at: z.string(), origin: z.string(), reason: z.string(), bytes: z.number().int() }),
    ),
  }),
  kafka: z
    .array(
      z.object({
        topic: z.string(),
        partition: z.number().int(),
        lagMessages: z.number().int(),
        paused: z.boolean(),
      }),
    )
    .nullable()
    .describe('null when no broker is configured, or the ingest role runs elsewhere'),
})
export type IngestStatusReply = z.infer<typeof IngestStatusReply>

const MetricName = z.string().min(1).max(512)
const MetricKind = z.enum(['gauge', 'sum', 'histogram', 'exp_histogram', 'summary'])
const Temporality = z.enum(['none', 'delta', 'cumulative'])
/** `key=value`, given once or several times. */
const LabelFilter = z
  .union([z.string(), z.array(z.string()).max(20)])
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .refine((given) => given.every((text) => text.indexOf('=') > 0 && text.length <= 2048), {
    message: 'must be key=value, at most 2048 characters',
  })
  .default([])

export const MetricsQuery = z.object({
  from: Instant.default('-24h').describe('metrics seen since; default -24h'),
  prefix: z.string().max(512).default('').describe('start of the name'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
})
export const MetricItem = z.object({
  name: z.string(),
  kind: MetricKind,
  temporality: Temporality,
  isMonotonic: z.boolean(),
  unit: z.string(),
  description: z.string(),
  series: z.number().int(),
  hasOverflow: z.boolean().describe('points beyond the bound on series were folded into one series'),
  lastSeenAt: z.string().describe('when its series were last written down: once a day'),
})
export type MetricItem = z.infer<typeof MetricItem>
export const MetricsReply = z.object({ items: z.array(MetricItem) })
export type MetricsReply = z.infer<typeof MetricsReply>

export const MetricParams = z.object({ name: MetricName })
export const MetricSeriesQuery = z.object({
  from: Instant.default('-24h').describe('series active since; default -24h'),
  label: LabelFilter.describe('labels that a series must carry: key=value, repeatable'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
})
export const MetricSeries = z.object({
  id: z.string(),
  kind: MetricKind,
  temporality: Temporality,
  isMonotonic: z.boolean(),
  isOverflow: z.boolean(),
  unit: z.string(),
  labels: z.record(z.string(), z.string()),
  lastSeenAt: z.string(),
})
export type MetricSeries = z.infer<typeof MetricSeries>
export const MetricSeriesReply = z.object({ metric: z.string(), items: z.array(MetricSeries) })
export type MetricSeriesReply = z.infer<typeof MetricSeriesReply>

export const MetricFunction = z.enum([
  'avg',
  'min',
  'max',
  'last',
  'sum',
  'rate',
  'increase',
  'p50',
  'p95',
  'p99',
])
export type MetricFunction = z.infer<typeof MetricFunction>
export const MetricQueryQuery = RangeQuery.extend({
  metric: MetricName,
  stepSeconds: z.coerce.number().int().min(1).max(86_400).default(60).describe('width of a point in seconds'),
  label: LabelFilter.describe('labels that a series must carry: key=value, repeatable'),
  by: z
    .union([z.string().max(256), z.array(z.string().max(256)).max(10)])
    .transform((given) => (typeof given === 'string' ? [given] : given))
    .default([])
    .describe('label to group by, repeatable; one group without'),
  function: MetricFunction.default('avg').describe(
    'rate and increase of sums, summaries and histograms (resets are known); quantiles of histograms',
  ),
})
export const MetricQueryReply = z.object({
  metric: z.string(),
  function: MetricFunction,
  from: z.string(),
  to: z.string(),
  stepSeconds: z.number(),
  unit: z.string(),
  hasOverflow: z
    .boolean()
    .describe('some points lie in an overflow series; those of counters are left out of rates'),
  series: z.array(
    z.object({
      labels: z.record(z.string(), z.string()),
      points: z.array(
        z.object({
          at: z.string().describe('start of the point, RFC 3339'),
          value: z.number().nullable().describe('null where there is no number (no observation, infinite)'),
        }),
      ),
    }),
  ),
})
export type MetricQueryReply = z.infer<typeof MetricQueryReply>

export const MetricExemplarsQuery = RangeQuery.extend({
  label: LabelFilter,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
export const MetricExemplar = z.object({
  series: z.string(),
  at: z.string(),
  value: z.number().nullable(),
  traceId: z.string().nullable(),
  spanId: z.string().nullable(),
  attributes: z.record(z.string(), z.string()),
})
export type MetricExemplar = z.infer<typeof MetricExemplar>
export const MetricExemplarsReply = z.object({ metric: z.string(), items: z.array(MetricExemplar) })
export type MetricExemplarsReply = z.infer<typeof MetricExemplarsReply>

export const MetricsStatusReply = z.object({
  overflow: z
    .array(z.object({ metric: z.string(), points: z.number().int() }))
    .describe('metrics with more series today than the bound, and the points folded today'),
})
export type MetricsStatusReply = z.infer<typeof MetricsStatusReply>

const Amounts = z.object({
  cpu: z.number().nullable().describe('cores'),
  memory: z.number().nullable().describe('bytes'),
})
const Runs = {
  site: z.string(),
  zone: z.string(),
  cluster: z.string(),
  node: z.string(),
  at: z.string().describe('of one of the samples'),
}
export const UtilisationReply = z.object({
  at: z.string(),
  nodes: z
    .array(z.object({ ...Runs, usage: Amounts, capacity: Amounts.describe('allocatable') }))
    .describe('fullest first, 500 at most'),
  containers: z
    .array(
      z.object({
        ...Runs,
        namespace: z.string(),
        pod: z.string(),
        container: z.string(),
        usage: Amounts,
        request: Amounts,
        limit: Amounts,
      }),
    )
    .describe('nearest to their limits first, 500 at most'),
  nodeCount: z.number().int(),
  containerCount: z.number().int(),
})
export type UtilisationReply = z.infer<typeof UtilisationReply>

/** RFC 9457 problem details, with our stable code. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ place: z.string(), message: z.string() })).optional(),
})
export type Problem = z.infer<typeof Problem>
