-- Requests by hour, made of the minutes once the hour is over: what long ranges are answered from. Dimensions and latency as
-- in requests_1m.
CREATE TABLE IF NOT EXISTS requests_1h
(
  service   LowCardinality(String) COMMENT 'service.name',
  bucket    DateTime('UTC')        COMMENT 'start of the hour, UTC' CODEC(DoubleDelta, ZSTD(1)),
  operation LowCardinality(String) COMMENT 'span name',
  version   LowCardinality(String) COMMENT 'service.version',
  system    LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  site      LowCardinality(String) COMMENT 'bank.site',
  zone      LowCardinality(String) COMMENT 'cloud.availability_zone',
  cluster   LowCardinality(String) COMMENT 'k8s.cluster.name',
  channel   LowCardinality(String) COMMENT 'bank.channel',
  region    LowCardinality(String) COMMENT 'bank.region',
  traffic   LowCardinality(String) COMMENT 'bank.traffic',
  outcome   Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'as in spans',
  derivation UInt64                COMMENT 'derivations.derivation' CODEC(Delta(8), ZSTD(1)),
  requests  UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted  UInt64                 COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)),
  duration_ns_sum UInt64           COMMENT 'sum of durations, ns' CODEC(T64, ZSTD(1)),
  latency   AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations, ns' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome)
TTL bucket + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;
