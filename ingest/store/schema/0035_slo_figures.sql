-- What was said of each SLO at the time, once a minute and at every change: the past is never judged anew here.
CREATE TABLE IF NOT EXISTS slo_figures
(
  slo        LowCardinality(String) COMMENT 'name of the SLO in the registry',
  objective  UInt16                 COMMENT 'place of the objective' CODEC(ZSTD(1)),
  slo_group  LowCardinality(String) COMMENT 'values of the group-by subjects as JSON, empty without',
  judged_at  DateTime64(3, 'UTC')   COMMENT 'when it was judged' CODEC(DoubleDelta, ZSTD(1)),
  condition  LowCardinality(String) COMMENT 'as in SloState',
  sli        Nullable(Float64)      COMMENT 'good ÷ all over the SLO window, exclusions applied; null when not known' CODEC(Gorilla, ZSTD(1)),
  sli_gross  Nullable(Float64)      COMMENT 'the same without exclusions' CODEC(Gorilla, ZSTD(1)),
  remaining  Nullable(Float64)      COMMENT 'part of the budget that is left, signed' CODEC(Gorilla, ZSTD(1)),
  burn       Nullable(Float64)      COMMENT 'burn rate of the shortest window' CODEC(Gorilla, ZSTD(1)),
  coverage   Nullable(Float64)      COMMENT 'known part of the SLO window' CODEC(Gorilla, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(judged_at)
ORDER BY (slo, objective, slo_group, judged_at)
TTL toDateTime(judged_at) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;
