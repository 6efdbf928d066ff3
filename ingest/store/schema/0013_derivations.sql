-- What is derived from rows that are in, a minute or an hour at a time, after they came: which bucket was derived when.
-- Rows of a derived table count only when they carry their bucket's latest derivation, so that a derivation replaces the one
-- before in one step: the row here is written last.
CREATE TABLE IF NOT EXISTS derivations
(
  name       LowCardinality(String) COMMENT 'table that was derived',
  bucket     DateTime('UTC')        COMMENT 'start of the minute or hour, UTC' CODEC(DoubleDelta, ZSTD(1)),
  derivation UInt64                 COMMENT 'when it began, ms since epoch; later ones replace earlier ones' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toYYYYMM(bucket)
ORDER BY (name, bucket)
TTL bucket + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;

-- Which minutes a batch brought spans of: what must be derived, or derived again.
ALTER TABLE batches ADD COLUMN IF NOT EXISTS minutes Array(DateTime('UTC')) COMMENT 'minutes of its span starts, 1440 at most' CODEC(ZSTD(1));

DROP VIEW IF EXISTS batches_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS batches_mv TO batches AS
SELECT now64(3, 'UTC') AS at, batch, count() AS rows, min(ts) AS oldest_at, max(ts) AS newest_at, sum(masked) AS masked,
  arraySort(groupUniqArray(1440)(toStartOfMinute(toDateTime(ts, 'UTC')))) AS minutes
FROM spans
GROUP BY batch;
