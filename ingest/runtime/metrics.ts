// Surety's own metrics, in Prometheus' form. One registry per process, handed to the parts; labels have few values.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export type Metrics = ReturnType<typeof buildMetrics>

export function buildMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'surety_' })
  return {
    registry,
    rows: new Counter({
      name: 'surety_ingest_rows_total',
      help: 'Rows stored, by table and door',
      labelNames: ['table', 'door'] as const,
      registers,
    }),
    messages: new Counter({
      name: 'surety_ingest_messages_total',
      help: 'Messages taken, by door and what became of them',
      labelNames: ['door', 'result'] as const,
      registers,
    }),
    bytes: new Counter({
      name: 'surety_ingest_bytes_total',
      help: 'Bytes of messages taken, inflated, by door',
      labelNames: ['door'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'surety_ingest_dead_letters_total',
      help: 'Messages set aside, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    expiredSpans: new Counter({
      name: 'surety_ingest_expired_spans_total',
      help: 'Spans and data points older than their retention when they came; not stored',
      labelNames: ['door'] as const,
      registers,
    }),
    aheadRows: new Counter({
      name: 'surety_ingest_ahead_rows_total',
      help: 'Spans and data points more than five minutes ahead of our clock when they came; stored',
      labelNames: ['door', 'signal'] as const,
      registers,
    }),
    maskedValues: new Counter({
      name: 'surety_ingest_masked_values_total',
      help: 'Values of spans in which a card, phone, identity or configured number was masked, by door',
      labelNames: ['door'] as const,
      registers,
    }),
    plainLogRecords: new Counter({
      name: 'surety_ingest_plain_log_records_total',
      help: 'Log records that are no events; not stored',
      labelNames: ['door'] as const,
      registers,
    }),
    foldedPoints: new Counter({
      name: 'surety_ingest_folded_points_total',
      help: 'Data points beyond the bound on series, stored under the overflow series of their metric',
      labelNames: ['door'] as const,
      registers,
    }),
    activeSeries: new Gauge({
      name: 'surety_ingest_active_series',
      help: 'Series of metrics that came to this process since midnight UTC',
      registers,
    }),
    inserts: new Histogram({
      name: 'surety_ingest_insert_duration_seconds',
      help: 'Time to insert one batch of spans, retries included',
      labelNames: ['door'] as const,
      buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    insertRetries: new Counter({
      name: 'surety_ingest_insert_retries_total',
      help: 'Attempts that the store could not take for now',
      registers,
    }),
    pendingBytes: new Gauge({
      name: 'surety_ingest_pending_bytes',
      help: 'Bytes accepted and not yet stored',
      registers,
    }),
    storeBytes: new Gauge({
      name: 'surety_store_bytes',
      help: 'Bytes of the embedded store on disk, looked at every minute',
      registers,
    }),
    droppedBytes: new Counter({
      name: 'surety_store_dropped_bytes_total',
      help: 'Bytes of days that were dropped because the store was over its size, by table',
      labelNames: ['table'] as const,
      registers,
    }),
    refusedRequests: new Counter({
      name: 'surety_ingest_refused_requests_total',
      help: 'Requests turned away at a door, by HTTP status or gRPC code',
      labelNames: ['door', 'status'] as const,
      registers,
    }),
    doorRequests: new Counter({
      name: 'surety_door_requests_total',
      help: 'Requests admitted, by door and name of the token (none: no token was asked for)',
      labelNames: ['door', 'token'] as const,
      registers,
    }),
    doorBytes: new Counter({
      name: 'surety_door_bytes_total',
      help: 'Bytes of bodies of admitted requests, by door and name of the token',
      labelNames: ['door', 'token'] as const,
      registers,
    }),
    doorRefusals: new Counter({
      name: 'surety_door_refusals_total',
      help: 'Requests that the door guard refused, by door, name of the token (none: unknown) and reason',
      labelNames: ['door', 'token', 'reason'] as const,
      registers,
    }),
    tlsNotAfter: new Gauge({
      name: 'surety_tls_certificate_not_after_seconds',
      help: 'When the TLS certificate in use ends, seconds since 1970; 0 without TLS',
      registers,
    }),
    kafkaLag: new Gauge({
      name: 'surety_ingest_kafka_lag_messages',
      help: 'Messages not yet read, by topic and partition',
      labelNames: ['topic', 'partition'] as const,
      registers,
    }),
    kafkaOldestUnread: new Gauge({
      name: 'surety_ingest_kafka_oldest_unread_seconds',
      help: 'Age of the record read last while others wait behind it, by topic and partition; 0 when none waits',
      labelNames: ['topic', 'partition'] as const,
      registers,
    }),
    kafkaPaused: new Gauge({
      name: 'surety_ingest_kafka_paused_partitions',
      help: 'Partitions paused because the pipeline is full',
      registers,
    }),
    queries: new Histogram({
      name: 'surety_query_duration_seconds',
      help: 'Time to answer an API request, by route',
      labelNames: ['route', 'status'] as const,
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers,
    }),
  }
}
