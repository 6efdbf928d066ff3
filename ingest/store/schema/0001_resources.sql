-- Resources by hash: what every span of one process shares, stored once instead of on every span.
-- Written before the spans that refer to it; the row is written again about once a day while the resource lives.
CREATE TABLE IF NOT EXISTS resources
(
  res_id  UInt64                        COMMENT 'sipHash64 of the sorted attributes; spans.res_id',
  service LowCardinality(String)        COMMENT 'service.name',
  attr_k  Array(LowCardinality(String)) COMMENT 'attribute keys, sorted',
  attr_v  Array(String)                 COMMENT 'attribute values as text, in the order of attr_k',
  seen_at DateTime('UTC')               COMMENT 'when the row was written, UTC'
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY res_id
TTL seen_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
