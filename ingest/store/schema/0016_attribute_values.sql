-- Which attributes spans carry, and with which values: what a search box suggests. From a sample of spans, every few minutes
-- (ingest/derived/); of each service and key the hundred most frequent values of the sample.
CREATE TABLE IF NOT EXISTS attribute_values
(
  key         LowCardinality(String) COMMENT 'attribute key',
  service     LowCardinality(String) COMMENT 'service.name',
  value       String                 COMMENT 'its value as text' CODEC(ZSTD(1)),
  day         Date                   COMMENT 'day of the sample, UTC',
  occurrences SimpleAggregateFunction(sum, UInt64) COMMENT 'spans of the sample; to sort by, not to count with' CODEC(T64, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (key, service, value, day)
TTL day + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;
