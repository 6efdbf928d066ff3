// What the role `ingest` reads from its environment. Units and defaults stand with each field.

import { z } from 'zod'
import { kafkaSecurityProblems, SASL_MECHANISMS } from './kafka/security.ts'
import { HOOK_SECRET_VARIABLES, hookSecretProblems } from './releases/hooks/hook-secrets.ts'
import { accessProblems } from './runtime/access.ts'
import { isLoopback, type IsLoopback } from './runtime/reach.ts'
import { STORE_TARGET_VARIABLES, storeTargetProblems } from './store-target.ts'
import { flag, integer, list, port } from './runtime/config.ts'
import { LOG_LEVELS } from './runtime/logger.ts'

// What a bank's spans are looked up by; each key costs 8 bytes a span that carries it.
const SEARCH_KEYS = [
  'user.id',
  'enduser.id',
  'session.id',
  'customer.id',
  'account.id',
  'order.id',
  'payment.id',
]
const SEARCH_KEYS_MAX = 32

const days = (fallback: number) => integer(1, 36_500, fallback)
const hostName = z
  .string()
  .toLowerCase()
  .regex(/^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/, 'must be host names without scheme and port, IPv6 in brackets')

const DATABASE_URL_TEXT =
  'must be postgres://USER@HOST:5432/DATABASE without a password; that is in SURETY_DATABASE_PASSWORD_FILE'

function isDatabaseUrl(text: string): boolean {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) return false
  const { hostname, pathname, password } = new URL(text)
  return hostname !== '' && pathname.length > 1 && password === ''
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Variables that every role reads. */
export const RuntimeConfig = z.object({
  /** Address to listen on. Beyond loopback only with tokens, TLS and named hosts (runtime/access.ts says which). */
  SURETY_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be an IP address or a host name, without port')
    .default('127.0.0.1'),
  /** Host names, comma-separated, that requests may be addressed to beside loopback: our public one, a proxy's. */
  SURETY_ALLOWED_HOSTS: list([]).pipe(z.array(hostName)),
  /** JSON file of bearer tokens, hashed; «surety token» writes it. Read again when it changes. */
  SURETY_TOKENS_FILE: z.string().optional(),
  /** Ask for tokens on loopback too. Beyond loopback they are always asked for. */
  SURETY_TOKENS_REQUIRED: flag(false),
  /** Certificate (with its chain) and private key, PEM; with them every door speaks TLS. Read again on change. */
  SURETY_TLS_CERT_FILE: z.string().optional(),
  SURETY_TLS_KEY_FILE: z.string().optional(),
  /** Signers of client certificates, PEM; with it no connection without a client certificate. */
  SURETY_TLS_CLIENT_CA_FILE: z.string().optional(),
  /** A proxy in front ends TLS, and nobody else reaches our ports. */
  SURETY_TLS_TERMINATED: flag(false),
  /** How often the files of tokens and TLS are looked at, ms: a revoked token is refused within five seconds. */
  SURETY_ACCESS_POLL_MS: integer(50, 3_600_000, 5000),
  /** API, pages, metrics, health. */
  SURETY_HTTP_PORT: port(8080),
  /** Where the embedded store lives, and the journal of the doors; one process at a time. */
  SURETY_DATA_DIR: z.string().min(1).default('./data'),
  SURETY_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  ...STORE_TARGET_VARIABLES,
  /** The ecosystem's name for a server; refused, so that nobody thinks it is used. */
  CLICKHOUSE_URL: z
    .undefined({ error: 'Surety reads SURETY_CLICKHOUSE_URL; set that, and unset this one' })
    .optional(),
  /** PostgreSQL server for definitions and people, postgres://USER@HOST/DATABASE; unset: the same engine embedded. */
  SURETY_DATABASE_URL: z.string().refine(isDatabaseUrl, DATABASE_URL_TEXT).optional(),
  /** File with its password; read at start. */
  SURETY_DATABASE_PASSWORD_FILE: z.string().min(1).optional(),
  /** The ecosystem's name for it; refused, so that nobody thinks it is used. */
  DATABASE_URL: z
    .undefined({ error: 'Surety reads SURETY_DATABASE_URL; set that, and unset this one' })
    .optional(),
  /** What somebody who has not signed in may do on loopback: `none`, or `viewer`, read everything. */
  SURETY_VISITORS: z.enum(['none', 'viewer'], { error: 'must be none or viewer' }).default('none'),
  /** Where Surety's own spans go: OTLP/HTTP with its path, or `self`, our own door. Unset: there are none. */
  SURETY_TRACES_ENDPOINT: z
    .string()
    .refine(
      (text) => text === 'self' || (/^https?:/.test(text) && URL.canParse(text)),
      'must be self, or a URL such as http://127.0.0.1:4318/v1/traces',
    )
    .optional(),
  /** Share of own traces that are kept, 0–1; a tenth shows what is slow. */
  SURETY_TRACES_RATIO: z
    .string()
    .regex(/^(0|1|0?\.\d{1,6}|1\.0+)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .default(0.1),
  /** Attribute keys, comma-separated, by whose values spans are found at once; bank.txn.id always is. */
  SURETY_SEARCH_KEYS: list(SEARCH_KEYS).refine(
    (keys) => keys.length <= SEARCH_KEYS_MAX && keys.every((key) => key.length <= 128),
    `takes at most ${SEARCH_KEYS_MAX} keys of at most 128 characters`,
  ),
  /** Zone that release windows are told in; an IANA name. */
  SURETY_TIME_ZONE: z
    .string()
    .refine(isZone, 'is no zone that is known here; write it as Asia/Shanghai')
    .default('Asia/Shanghai'),
  /** Release window (投产窗口), local time; an end before its start lies on the next day. */
  SURETY_RELEASE_WINDOW: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'must be two times of day, 22:00-06:00')
    .default('22:00-06:00'),
  /** Local time at which the window's verdict is written down: before branches open. */
  SURETY_RELEASE_WINDOW_VERDICT_AT: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day, 07:30')
    .default('07:30'),
  /** Days that raw spans are kept: a week answers most questions at 50 bytes a span. */
  SURETY_RETENTION_SPANS_DAYS: days(7),
  /** Days of 10-second counts. */
  SURETY_RETENTION_10S_DAYS: days(14),
  /** Days of minute counts and latencies. */
  SURETY_RETENTION_1M_DAYS: days(90),
  /** Days of hour counts and latencies: a year to compare with, and a month more. */
  SURETY_RETENTION_1H_DAYS: days(400),
  /** Days that dead letters are kept. */
  SURETY_RETENTION_DEAD_LETTERS_DAYS: days(30),
  /** Days of metric samples: a month shows a monthly cycle at about a byte a sample. */
  SURETY_RETENTION_METRICS_DAYS: days(30),
  /** Named events. */
  SURETY_RETENTION_EVENTS_DAYS: days(90),
  /** Days that a gray scope may be open before it is marked: a week of branches is the usual plan. */
  SURETY_GRAY_OPEN_DAYS: days(7),
})

export type RuntimeConfig = Readonly<z.output<typeof RuntimeConfig>>

export const IngestConfig = RuntimeConfig.extend({
  /** OTLP/HTTP, the port that OpenTelemetry names. */
  SURETY_OTLP_HTTP_PORT: port(4318),
  /** OTLP/gRPC, the port that OpenTelemetry names. */
  SURETY_OTLP_GRPC_PORT: port(4317),
  /** Largest OTLP body, bytes, inflated: what exporters send stays far below. */
  SURETY_OTLP_BODY_BYTES_MAX: integer(1024, 67_108_864, 16_777_216),
  /** Bytes accepted and not yet stored, over all doors; at it doors answer 503 and Kafka is paused. */
  SURETY_PENDING_BYTES_MAX: integer(1_048_576, 2_147_483_647, 134_217_728),
  /** Longest time a message waits for its batch, ms: a second is the freshness we promise. */
  SURETY_LINGER_MS: integer(1, 60_000, 1000),
  /** Return codes to outcomes: a JSON file `{"LIM0021": "business_reject", "SYS*": "system_error"}`. */
  SURETY_RETURN_CODE_MAP: z.string().optional(),
  /** Card, phone and identity numbers in values: `on`, `off`, or a JSON file `{kinds, patterns, keys, except}`. */
  SURETY_MASKING: z.string().min(1).default('on'),
  /** Whether dead letters keep the bytes as they came, unmasked: without them nothing can be replayed. */
  SURETY_DEAD_LETTERS_KEEP_BYTES: flag(true),
  /** Bytes the embedded store may take on disk; beyond them the oldest days of spans go. 0, the default: no limit. */
  SURETY_STORE_BYTES_MAX: integer(0, Number.MAX_SAFE_INTEGER, 0),
  /** Webhooks of other tools and how they are read: a YAML or JSON file; deploy/release-hooks/ has examples. */
  SURETY_RELEASE_HOOKS: z.string().min(1).optional(),
  ...HOOK_SECRET_VARIABLES,
  /** host:port, comma-separated; without it the Kafka door stays shut. */
  KAFKA_BROKERS: list([]),
  SURETY_KAFKA_GROUP: z.string().min(1).max(249).default('surety-ingest'),
  /** The group takes a silent member's partitions away after this, ms; shorter recovers sooner and suspects sooner. */
  SURETY_KAFKA_SESSION_TIMEOUT_MS: integer(1000, 300_000, 30_000),
  /** Encrypted connections to the brokers. */
  SURETY_KAFKA_TLS: flag(false),
  /** CA that signed the brokers' certificates, PEM; the system's when unset. */
  SURETY_KAFKA_TLS_CA_FILE: z.string().min(1).optional(),
  /** Our certificate and key, PEM, where brokers ask for one. */
  SURETY_KAFKA_TLS_CERT_FILE: z.string().min(1).optional(),
  SURETY_KAFKA_TLS_KEY_FILE: z.string().min(1).optional(),
  SURETY_KAFKA_SASL_MECHANISM: z
    .enum(SASL_MECHANISMS, { error: `must be one of ${SASL_MECHANISMS.join(', ')}` })
    .optional(),
  SURETY_KAFKA_SASL_USERNAME: z.string().min(1).optional(),
  SURETY_KAFKA_SASL_PASSWORD: z.string().min(1).optional(),
  /** Topic of trace requests as the OpenTelemetry Collector's Kafka exporter writes them (otlp_proto, otlp_json). */
  SURETY_KAFKA_TOPIC_SPANS: z.string().min(1).max(249).default('otlp_spans'),
  /** Topic of metric requests, written the same way; `none` leaves metrics out. */
  SURETY_KAFKA_TOPIC_METRICS: z.string().min(1).max(249).default('otlp_metrics'),
  /** Release events, CloudEvents in binary or structured mode. */
  SURETY_KAFKA_TOPIC_RELEASES: z.string().min(1).max(249).default('surety_releases'),
  /** The same for log records that are events. */
  SURETY_KAFKA_TOPIC_LOGS: z.string().min(1).max(249).default('otlp_logs'),
  /**
   * What the OTLP doors do: 0 store; 1 hand requests to Kafka, whose topics this process reads as ever; `only` hand them
   * to Kafka and leave reading to others.
   */
  SURETY_GATEWAY: z
    .enum(['0', '1', 'only'], { error: 'must be 0, 1 or only' })
    .transform((word) => (word === '0' ? 'off' : word === '1' ? 'on' : 'only'))
    .default('off'),
  /** Series of one metric and UTC day; points of further ones are folded into one overflow series. */
  SURETY_SERIES_MAX_PER_METRIC: integer(1, 10_000_000, 50_000),
  /** Series of all metrics and one UTC day, about 60 bytes of memory each. */
  SURETY_SERIES_MAX: integer(1, 50_000_000, 1_000_000),
})
export type IngestConfig = Readonly<z.output<typeof IngestConfig>>

/** What is wrong between variables of every role. */
export function runtimeProblems(config: Partial<RuntimeConfig>, reach?: IsLoopback): string[] {
  return [...accessProblems(config, reach), ...storeTargetProblems(config), ...peopleProblems(config, reach)]
}

function peopleProblems(config: Partial<RuntimeConfig>, reach: IsLoopback = isLoopback): string[] {
  const problems: string[] = []
  const host = config.SURETY_HOST
  if (config.SURETY_VISITORS === 'viewer') {
    if (host !== undefined && !reach(host))
      problems.push('SURETY_VISITORS=viewer: only where SURETY_HOST is a loopback address; others sign in')
    if (config.SURETY_TOKENS_REQUIRED === true)
      problems.push('SURETY_VISITORS=viewer: not with SURETY_TOKENS_REQUIRED=1, which asks everybody')
  }
  if (config.SURETY_DATABASE_PASSWORD_FILE !== undefined && config.SURETY_DATABASE_URL === undefined)
    problems.push('SURETY_DATABASE_PASSWORD_FILE: only with SURETY_DATABASE_URL')
  return problems
}

/** What is wrong between variables of this role, or of every role. */
export function ingestProblems(config: Partial<IngestConfig>, reach?: IsLoopback): string[] {
  return [
    ...runtimeProblems(config, reach),
    ...kafkaSecurityProblems(config),
    ...gatewayProblems(config),
    ...hookSecretProblems(config),
    ...(config.SURETY_TRACES_ENDPOINT === 'self' && config.SURETY_TLS_CERT_FILE !== undefined
      ? [
          'SURETY_TRACES_ENDPOINT=self: not with SURETY_TLS_CERT_FILE; give the URL that the certificate is for',
        ]
      : []),
  ]
}

/** What is wrong between variables where no OTLP door is. */
export function doorlessProblems(config: Partial<RuntimeConfig>): string[] {
  return config.SURETY_TRACES_ENDPOINT === 'self'
    ? ['SURETY_TRACES_ENDPOINT=self: needs the role ingest in the same process; give the URL of a door']
    : []
}

function gatewayProblems(config: Partial<IngestConfig>): string[] {
  if ((config.SURETY_GATEWAY ?? 'off') === 'off') return []
  const problems: string[] = []
  if (config.KAFKA_BROKERS?.length === 0)
    problems.push('SURETY_GATEWAY: needs KAFKA_BROKERS, the brokers that requests are handed to')
  for (const name of ['SURETY_KAFKA_TOPIC_METRICS', 'SURETY_KAFKA_TOPIC_LOGS'] as const)
    if (config[name] === 'none')
      problems.push(`SURETY_GATEWAY: hands on every signal; ${name} must name a topic`)
  return problems
}
