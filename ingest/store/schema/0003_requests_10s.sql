-- Requests (SERVER and CONSUMER spans) counted in 10-second buckets by everything a fault is cut by.
-- Sorted by service, then time: «all services, newest minutes» and «one service over a day» both read little.
CREATE TABLE IF NOT EXISTS requests_10s
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
  requests  UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1))
)
ENGINE = SummingMergeTree(requests)
PARTITION BY toDate(bucket)
ORDER BY (service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome)
TTL bucket + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_10s_mv TO requests_10s AS
SELECT service, toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS bucket, operation, version, system, site, zone, cluster,
  channel, region, traffic, outcome, count() AS requests
FROM spans
WHERE kind IN (2, 5)
GROUP BY service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome;
