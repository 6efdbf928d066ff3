-- Requests by hour for services and versions alone, derived beside requests_1h, of the same derivation, from
-- service_requests_1m: lists and charts of long ranges that name no site, channel or region.
CREATE TABLE IF NOT EXISTS service_requests_1h
(
  service    LowCardinality(String) COMMENT 'service.name',
  bucket     DateTime('UTC')        COMMENT 'start of the hour, UTC' CODEC(DoubleDelta, ZSTD(1)),
  version    LowCardinality(String) COMMENT 'service.version',
  system     LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  traffic    LowCardinality(String) COMMENT 'bank.traffic',
  outcome    Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'as in spans',
  derivation UInt64                 COMMENT 'derivations.derivation of requests_1h' CODEC(Delta(8), ZSTD(1)),
  requests   UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted   UInt64                 COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)),
  last_at    DateTime('UTC')        COMMENT 'end of the last 10 s with a request, UTC' CODEC(DoubleDelta, ZSTD(1)),
  latency    AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations, ns' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, version, system, traffic, outcome)
TTL bucket + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, index_granularity = 64;

DROP TABLE IF EXISTS service_requests_1h_made_anew;

CREATE TABLE IF NOT EXISTS service_requests_1h_made_anew
(
  service    LowCardinality(String) COMMENT 'service.name',
  bucket     DateTime('UTC')        COMMENT 'start of the hour, UTC' CODEC(DoubleDelta, ZSTD(1)),
  version    LowCardinality(String) COMMENT 'service.version',
  system     LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  traffic    LowCardinality(String) COMMENT 'bank.traffic',
  outcome    Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'as in spans',
  derivation UInt64                 COMMENT 'derivations.derivation of requests_1h' CODEC(Delta(8), ZSTD(1)),
  requests   UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted   UInt64                 COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)),
  last_at    DateTime('UTC')        COMMENT 'end of the last 10 s with a request, UTC' CODEC(DoubleDelta, ZSTD(1)),
  latency    AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations, ns' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service, bucket, version, system, traffic, outcome)
TTL bucket + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, index_granularity = 64;

-- What hours know, each by the derivation that counts; of the last request they know the hour. Such states are large:
-- those that do not fit wait on the disk.
INSERT INTO service_requests_1h_made_anew (service, bucket, version, system, traffic, outcome, derivation, requests, weighted, last_at, latency)
SELECT service, bucket, version, system, traffic, outcome, max(derivation), sum(requests), sum(weighted),
  bucket + INTERVAL 1 HOUR, quantilesBFloat16MergeState(0.5, 0.95, 0.99)(latency)
FROM requests_1h
WHERE (bucket, derivation) IN (SELECT bucket, max(derivation) FROM derivations WHERE name = 'requests_1h' GROUP BY bucket)
GROUP BY service, bucket, version, system, traffic, outcome
SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000, max_threads = 1, max_block_size = 2048, min_insert_block_size_rows = 2048, max_bytes_before_external_group_by = 1000000000, max_bytes_ratio_before_external_group_by = 0;

EXCHANGE TABLES service_requests_1h AND service_requests_1h_made_anew;

DROP TABLE IF EXISTS service_requests_1h_made_anew;
