-- Messages that could not be stored, whole, with the reason: nothing that was sent disappears silently.
CREATE TABLE IF NOT EXISTS dead_letters
(
  at     DateTime64(3, 'UTC')    COMMENT 'when it was set aside',
  origin String                  COMMENT 'otlp/http, or kafka topic/partition/offset',
  reason LowCardinality(String)  COMMENT 'stable code: walk, time-out-of-range, engine-refused, …',
  detail String                  COMMENT 'what was wrong, in words',
  format LowCardinality(String)  COMMENT 'otlp_proto traces …: how to read payload',
  size   UInt64                  COMMENT 'bytes of the message',
  payload String                 COMMENT 'the message; empty when it was over the limit kept' CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY at
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
