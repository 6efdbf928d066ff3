-- Dead letters get a name, derived from what they hold, and a record of each attempt to replay them.
ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS id UInt64 MATERIALIZED sipHash64(toUnixTimestamp64Milli(at), origin, reason, payload) COMMENT 'name of the letter, derived from what it holds';

CREATE TABLE IF NOT EXISTS dead_letter_replays
(
  id     UInt64                 COMMENT 'dead_letters.id',
  at     DateTime64(3, 'UTC')   COMMENT 'when the attempt got so far',
  result LowCardinality(String) COMMENT 'begun, stored, partial, failed',
  detail String                 COMMENT 'why it failed or what is missing, in words'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (id, at)
TTL toDateTime(at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
