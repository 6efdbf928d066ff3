-- What a sampled span stands for: its adjusted count, in thousandths so that sums are whole numbers and exact. Counts of
-- requests keep beside the spans that came («requests») what they stand for («weighted»).
ALTER TABLE spans ADD COLUMN IF NOT EXISTS weight UInt32 DEFAULT 1000 COMMENT 'adjusted count in thousandths; tracestate ot=th, else sampling.probability, else 1000' CODEC(T64, ZSTD(1));

ALTER TABLE requests_1m ADD COLUMN IF NOT EXISTS weighted SimpleAggregateFunction(sum, UInt64) DEFAULT requests * 1000 COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1)) AFTER requests;

DROP VIEW IF EXISTS requests_1m_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_1m_mv TO requests_1m AS
SELECT service, toStartOfMinute(toDateTime(ts, 'UTC')) AS bucket, operation, version, system, site, zone, cluster,
  channel, region, traffic, outcome, count() AS requests, sum(weight) AS weighted, sum(duration_ns) AS duration_ns_sum,
  quantilesBFloat16State(0.5, 0.95, 0.99)(toFloat32(duration_ns)) AS latency
FROM spans
WHERE kind IN (2, 5)
GROUP BY service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome;

-- The engine sums only the columns that the table was made with, so this table is made anew. Can be run again: nothing
-- has a weight before the view below is there.
DROP VIEW IF EXISTS requests_10s_mv;

DROP TABLE IF EXISTS requests_10s_made_anew;

CREATE TABLE IF NOT EXISTS requests_10s_made_anew
(
  service   LowCardinality(String) COMMENT 'service.name',
  bucket    DateTime('UTC')        COMMENT 'start of the 10 s, UTC' CODEC(DoubleDelta, ZSTD(1)),
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
  requests  UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted  UInt64                 COMMENT 'sum of spans.weight, thousandths of a request' CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree((requests, weighted))
PARTITION BY toDate(bucket)
ORDER BY (service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome)
TTL bucket + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

INSERT INTO requests_10s_made_anew
SELECT service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome, requests, requests * 1000
FROM requests_10s
SETTINGS async_insert = 0, max_partitions_per_insert_block = 1000;

EXCHANGE TABLES requests_10s AND requests_10s_made_anew;

DROP TABLE IF EXISTS requests_10s_made_anew;

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_10s_mv TO requests_10s AS
SELECT service, toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS bucket, operation, version, system, site, zone, cluster,
  channel, region, traffic, outcome, count() AS requests, sum(weight) AS weighted
FROM spans
WHERE kind IN (2, 5)
GROUP BY service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome;
