// What the role `ingest` reads from its environment. Units and defaults stand with each field.

import { z } from 'zod'
import { integer, list, port } from './runtime/config.ts'
import { LOG_LEVELS } from './runtime/logger.ts'

const days = (fallback: number) => integer(1, 36_500, fallback)

/** Variables that every role reads. */
export const RuntimeConfig = z.object({
  /** Address to listen on. Beyond loopback is refused until the doors have tokens. */
  SURETY_HOST: z
    .enum(['127.0.0.1', '::1', 'localhost'], {
      error:
        'must be a loopback address (127.0.0.1, ::1, localhost): the doors have no tokens yet, so nothing beyond this machine may reach them. Put a proxy in front that authenticates',
    })
    .default('127.0.0.1'),
  /** Host names, comma-separated, that requests may be addressed to beside loopback (a proxy's name). */
  SURETY_ALLOWED_HOSTS: list([]),
  /** API, pages, metrics, health. */
  SURETY_HTTP_PORT: port(8080),
  /** Where the embedded store lives; one process at a time. */
  SURETY_DATA_DIR: z.string().min(1).default('./data'),
  SURETY_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  /** A ClickHouse server. Its streaming transport is not in this release. */
  CLICKHOUSE_URL: z
    .undefined({
      error:
        'a ClickHouse server is not supported by this release; unset it to use the embedded engine in SURETY_DATA_DIR',
    })
    .optional(),
  /** PostgreSQL for definitions and workflow; no part of this release reads it. */
  DATABASE_URL: z.string().optional(),
  /** Days that raw spans are kept: a week answers most questions at 50 bytes a span. */
  SURETY_RETENTION_SPANS_DAYS: days(7),
  /** Days of 10-second counts. */
  SURETY_RETENTION_10S_DAYS: days(14),
  /** Days of minute counts and latencies. */
  SURETY_RETENTION_1M_DAYS: days(90),
  /** Days that dead letters are kept. */
  SURETY_RETENTION_DEAD_LETTERS_DAYS: days(30),
  /** Days of metric samples: a month shows a monthly cycle at about a byte a sample. */
  SURETY_RETENTION_METRICS_DAYS: days(30),
})

export type RuntimeConfig = Readonly<z.output<typeof RuntimeConfig>>

export const IngestConfig = RuntimeConfig.extend({
  /** OTLP/HTTP, the port that OpenTelemetry names. */
  SURETY_OTLP_HTTP_PORT: port(4318),
  /** OTLP/gRPC; reserved, the door opens with a later release. */
  SURETY_OTLP_GRPC_PORT: port(4317),
  /** Largest OTLP body, bytes, inflated: what exporters send stays far below. */
  SURETY_OTLP_BODY_BYTES_MAX: integer(1024, 67_108_864, 16_777_216),
  /** Bytes accepted and not yet stored, over all doors; at it doors answer 503 and Kafka is paused. */
  SURETY_PENDING_BYTES_MAX: integer(1_048_576, 2_147_483_647, 134_217_728),
  /** Longest time a message waits for its batch, ms: a second is the freshness we promise. */
  SURETY_LINGER_MS: integer(1, 60_000, 1000),
  /** Return codes to outcomes: a JSON file `{"LIM0021": "business_reject", "SYS*": "system_error"}`. */
  SURETY_RETURN_CODE_MAP: z.string().optional(),
  /** host:port, comma-separated; without it the Kafka door stays shut. */
  KAFKA_BROKERS: list([]),
  SURETY_KAFKA_GROUP: z.string().min(1).max(249).default('surety-ingest'),
  /** Topic of trace requests as the OpenTelemetry Collector's Kafka exporter writes them (otlp_proto). */
  SURETY_KAFKA_TOPIC_SPANS: z.string().min(1).max(249).default('otlp_spans'),
  /** Topic of metric requests, written the same way; `none` leaves metrics out. */
  SURETY_KAFKA_TOPIC_METRICS: z.string().min(1).max(249).default('otlp_metrics'),
  /** Series of one metric and UTC day; points of further ones are folded into one overflow series. */
  SURETY_SERIES_MAX_PER_METRIC: integer(1, 10_000_000, 50_000),
  /** Series of all metrics and one UTC day, about 60 bytes of memory each. */
  SURETY_SERIES_MAX: integer(1, 50_000_000, 1_000_000),
})
export type IngestConfig = Readonly<z.output<typeof IngestConfig>>
