-- Requests by minute for services and versions alone, in small granules: whoever asks for one service, or a few minutes, reads these
-- states only. A bank has tens of thousands of combinations of route, site, channel and
-- region in a minute, and a few hundred of these: the list of services, which everyone looks at, reads a hundredth.
DROP VIEW IF EXISTS service_requests_1m_mv;

DROP TABLE IF EXISTS service_requests_1m_made_anew;

CREATE TABLE IF NOT EXISTS service_requests_1m
(
  service   LowCardinality(String) COMMENT 'service.name',
  bucket    DateTime('UTC')        COMMENT 'start of the minute, UTC' CODEC(DoubleDelta, ZSTD(1)),
  version   LowCardinality(String) COMMENT 'service.version',
  system    LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  traffic   LowCardinality(String) COMMENT 'bank.traffic',
  outcome   Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'as in spans',
  requests  SimpleAggregateFunction(sum, UInt64) COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted  SimpleAggregateFunction(sum, UInt64) COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)),
  last_at   SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'end of the last 10 s with a request, UTC' CODEC(DoubleDelta, ZSTD(1)),
  latency   AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations, ns' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(bucket)
ORDER BY (service, bucket, version, system, traffic, outcome)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12, index_granularity = 64;

CREATE TABLE IF NOT EXISTS service_requests_1m_made_anew
(
  service   LowCardinality(String) COMMENT 'service.name',
  bucket    DateTime('UTC')        COMMENT 'start of the minute, UTC' CODEC(DoubleDelta, ZSTD(1)),
  version   LowCardinality(String) COMMENT 'service.version',
  system    LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  traffic   LowCardinality(String) COMMENT 'bank.traffic',
  outcome   Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'as in spans',
  requests  SimpleAggregateFunction(sum, UInt64) COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted  SimpleAggregateFunction(sum, UInt64) COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)),
  last_at   SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'end of the last 10 s with a request, UTC' CODEC(DoubleDelta, ZSTD(1)),
  latency   AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations, ns' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(bucket)
ORDER BY (service, bucket, version, system, traffic, outcome)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12, index_granularity = 64;

-- What minutes know; of the last request they know the minute. Row by row: the table adds up what it merges, and a state of a busy
-- service takes 32 kB of memory, so that half a dozen busy hours, grouped here, would not fit.
INSERT INTO service_requests_1m_made_anew (service, bucket, version, system, traffic, outcome, requests, weighted, last_at, latency)
SELECT service, bucket, version, system, traffic, outcome, requests, weighted, bucket + INTERVAL 1 MINUTE, latency
FROM requests_1m
SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000, min_insert_block_size_rows = 65536;

EXCHANGE TABLES service_requests_1m AND service_requests_1m_made_anew;

DROP TABLE IF EXISTS service_requests_1m_made_anew;

CREATE MATERIALIZED VIEW IF NOT EXISTS service_requests_1m_mv TO service_requests_1m AS
SELECT service, toStartOfMinute(toDateTime(ts, 'UTC')) AS bucket, version, system, traffic, outcome, count() AS requests,
  sum(weight) AS weighted, max(toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND)) + INTERVAL 10 SECOND AS last_at,
  quantilesBFloat16State(0.5, 0.95, 0.99)(toFloat32(duration_ns)) AS latency
FROM spans
WHERE kind IN (2, 5)
GROUP BY service, bucket, version, system, traffic, outcome;
