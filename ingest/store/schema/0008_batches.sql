-- One row per insert of spans, written by the same block: what came when, how much, how fresh. Answers «rows per
-- second» and «lag» without reading spans, and tells a recovery what an intent really brought.
CREATE TABLE IF NOT EXISTS batches
(
  at        DateTime64(3, 'UTC') COMMENT 'when the rows were inserted',
  batch     UInt64               COMMENT 'spans.batch',
  rows      UInt64               COMMENT 'spans in this block',
  oldest_at DateTime64(9, 'UTC') COMMENT 'earliest span start',
  newest_at DateTime64(9, 'UTC') COMMENT 'latest span start'
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY at
TTL toDateTime(at) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS batches_mv TO batches AS
SELECT now64(3, 'UTC') AS at, batch, count() AS rows, min(ts) AS oldest_at, max(ts) AS newest_at
FROM spans
GROUP BY batch;
