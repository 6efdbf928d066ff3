-- Release events as they came, one row per (source, id). What they mean is derived later, never overwritten.
CREATE TABLE IF NOT EXISTS release_events
(
  source      String                 COMMENT 'CloudEvents source',
  id          String                 COMMENT 'CloudEvents id',
  type        LowCardinality(String) COMMENT 'CloudEvents type, as sent',
  at          DateTime64(3, 'UTC')   COMMENT 'when it happened, by its sender',
  received_at DateTime64(3, 'UTC')   COMMENT 'when it was stored',
  service     String                 COMMENT 'subject of a service event; empty when it names none',
  version     String                 COMMENT 'version that the event names; may be empty',
  environment LowCardinality(String) COMMENT 'environment that the event names; may be empty',
  action      LowCardinality(String) COMMENT 'deployed, upgraded, rolledback, removed, published, other',
  description String                 COMMENT 'short text for a marker',
  subject     String                 COMMENT 'CloudEvents subject or CDEvents subject id',
  specversion LowCardinality(String) COMMENT 'CloudEvents specversion',
  body        String                 COMMENT 'the JSON exactly as it came' CODEC(ZSTD(3)),
  first_wins  UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Milli(received_at))) COMMENT 'the earliest row of one identity survives a merge'
)
ENGINE = ReplacingMergeTree(first_wins)
ORDER BY (source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
