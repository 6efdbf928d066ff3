-- What SLOs are judged by: how much was good of how much, slice by slice. A slice that was measured and had nothing is a row of
-- zeros; one that was not measured has no row. Measured again it gets a higher revision, which replaces the one before.
CREATE TABLE IF NOT EXISTS slo_slices
(
  slo         LowCardinality(String)  COMMENT 'id of the SLO in the registry',
  generation  UInt32                  COMMENT 'which question was measured: another query or window begins a new one' CODEC(ZSTD(1)),
  slo_group   LowCardinality(String)  COMMENT 'value of the group-by dimensions, empty without',
  start       DateTime('UTC')         COMMENT 'start of the slice, UTC' CODEC(DoubleDelta, ZSTD(1)),
  step        UInt16                  COMMENT 'length of the slice, s' CODEC(ZSTD(1)),
  good        UInt64                  COMMENT 'good events, thousandths: sampled spans count for what they stand for' CODEC(T64, ZSTD(1)),
  total       UInt64                  COMMENT 'all events, thousandths' CODEC(T64, ZSTD(1)),
  revision    UInt32                  COMMENT '0 for the first measurement' CODEC(ZSTD(1)),
  measured_at DateTime64(3, 'UTC')    COMMENT 'when it was measured, by our clock' CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toMonday(start)
ORDER BY (slo, generation, slo_group, start)
TTL start + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;
