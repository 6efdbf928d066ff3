-- When a trace began, by trace id: narrows a look-up by id to one day's parts. Root spans only, so that the
-- view costs next to nothing; a trace whose root never came is found by the bloom filter alone.
CREATE TABLE IF NOT EXISTS trace_roots
(
  trace_hash UInt64          COMMENT 'first 8 bytes of the trace id' CODEC(NONE),
  started_at DateTime('UTC') COMMENT 'start of the root span, UTC' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(started_at)
ORDER BY trace_hash
TTL started_at + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_roots_mv TO trace_roots AS
SELECT reinterpretAsUInt64(substring(trace_id, 1, 8)) AS trace_hash, toDateTime(ts, 'UTC') AS started_at
FROM spans
WHERE parent_id = toFixedString('', 8);
