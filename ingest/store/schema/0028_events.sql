-- Named events of platforms, meshes and services: restarts, evictions, scaling, rate limits, circuit breaks, degradation,
-- self-healing. From OTLP log records that carry a name; other log records are not stored.
CREATE TABLE IF NOT EXISTS events
(
  ts          DateTime64(9, 'UTC')   COMMENT 'time_unix_nano, else observed_time_unix_nano' CODEC(Delta(8), ZSTD(1)),
  name        LowCardinality(String) COMMENT 'event_name, else event.name, else k8s.event.reason; at most 256 bytes',
  kind        Enum8('restart' = 1, 'eviction' = 2, 'scaling' = 3, 'rate_limit' = 4, 'circuit_break' = 5, 'degradation' = 6, 'self_healing' = 7, 'other' = 8) COMMENT 'by name (ingest/store/event-kinds.ts)',
  severity    Int8                   COMMENT 'severity_number, 1-24; 0 for none',
  body        String                 COMMENT 'body as text, masked' CODEC(ZSTD(1)),
  service     LowCardinality(String) COMMENT 'service.name',
  version     LowCardinality(String) COMMENT 'service.version',
  system      LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  environment LowCardinality(String) COMMENT 'deployment.environment.name',
  site        LowCardinality(String) COMMENT 'bank.site, else cloud.region',
  zone        LowCardinality(String) COMMENT 'cloud.availability_zone',
  cluster     LowCardinality(String) COMMENT 'k8s.cluster.name',
  namespace   LowCardinality(String) COMMENT 'k8s.namespace.name, of the record, else of the resource',
  node        LowCardinality(String) COMMENT 'k8s.node.name, of the record, else of the resource',
  pod         String                 COMMENT 'k8s.pod.name, of the record, else of the resource' CODEC(ZSTD(1)),
  trace_id    FixedString(16)        COMMENT '16 raw bytes; zeros for none' CODEC(ZSTD(1)),
  span_id     FixedString(8)         COMMENT '8 raw bytes; zeros for none' CODEC(ZSTD(1)),
  res_id      UInt64                 COMMENT 'resources.res_id' CODEC(ZSTD(1)),
  batch       UInt64                 COMMENT 'the insert that brought the row: sipHash64 of its deduplication token' CODEC(ZSTD(1)),
  scope       LowCardinality(String) COMMENT 'instrumentation scope name',
  attr_k      Array(LowCardinality(String)) COMMENT 'attribute keys' CODEC(ZSTD(1)),
  attr_v      Array(String)          COMMENT 'their values as text, masked' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (service, ts)
TTL toDateTime(ts) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;
