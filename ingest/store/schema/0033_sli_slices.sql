-- Slices three-valued and named by their question: measured, measured and empty, taken back. Of the table of 0031 nothing was ever written.
DROP TABLE IF EXISTS slo_slices;

CREATE TABLE IF NOT EXISTS sli_slices
(
  series      LowCardinality(String)  COMMENT 'fingerprint of what is counted: indicator and step',
  step        UInt16                  COMMENT 'length of the slice, s' CODEC(ZSTD(1)),
  slo_group   LowCardinality(String)  COMMENT 'values of the group-by subjects as JSON, empty without',
  start       DateTime('UTC')         COMMENT 'start of the slice, UTC' CODEC(DoubleDelta, ZSTD(1)),
  good        UInt64                  COMMENT 'good events, thousandths: sampled spans count for what they stand for' CODEC(T64, ZSTD(1)),
  total       UInt64                  COMMENT 'all events, thousandths' CODEC(T64, ZSTD(1)),
  is_known    Bool                    COMMENT 'false takes back what was known' CODEC(ZSTD(1)),
  revision    UInt32                  COMMENT 's since 2020 of the measuring: a later one replaces an earlier one' CODEC(ZSTD(1)),
  measured_at DateTime64(3, 'UTC')    COMMENT 'when it was measured, by our clock' CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(start)
ORDER BY (series, step, slo_group, start)
TTL start + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;
