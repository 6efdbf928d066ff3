-- Series of metrics by hash: what identifies a series, stored once instead of on every sample. Written before the
-- samples that refer to it; the row is written again once a day while the series lives.
CREATE TABLE IF NOT EXISTS series
(
  metric        LowCardinality(String) COMMENT 'metric name, at most 256 bytes',
  series        UInt64                 COMMENT 'sipHash64 of name, kind, temporality, monotonic, resource, scope and sorted attributes',
  kind          Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exp_histogram' = 4, 'summary' = 5) COMMENT 'kind of the data',
  temporality   Enum8('none' = 0, 'delta' = 1, 'cumulative' = 2) COMMENT 'aggregation_temporality; cumulative for summaries',
  is_monotonic  Bool                   COMMENT 'a sum that only grows',
  is_overflow   Bool                   COMMENT 'holds the points beyond the bound on series: attribute otel.metric.overflow',
  unit          LowCardinality(String) COMMENT 'unit, as sent',
  description   LowCardinality(String) COMMENT 'description, as sent',
  res_id        UInt64                 COMMENT 'resources.res_id',
  service       LowCardinality(String) COMMENT 'service.name',
  version       LowCardinality(String) COMMENT 'service.version',
  system        LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  environment   LowCardinality(String) COMMENT 'deployment.environment.name',
  site          LowCardinality(String) COMMENT 'bank.site, else cloud.region',
  zone          LowCardinality(String) COMMENT 'cloud.availability_zone',
  cluster       LowCardinality(String) COMMENT 'k8s.cluster.name',
  scope         LowCardinality(String) COMMENT 'instrumentation scope name',
  attr_k        Array(LowCardinality(String)) COMMENT 'attribute keys of the points, sorted' CODEC(ZSTD(1)),
  attr_v        Array(String)          COMMENT 'their values as text, in the order of attr_k' CODEC(ZSTD(1)),
  seen_at       DateTime('UTC')        COMMENT 'when the row was written, UTC'
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY (metric, series)
TTL seen_at + INTERVAL 32 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
