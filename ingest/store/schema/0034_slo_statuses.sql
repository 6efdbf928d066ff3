-- How each SLO stands, as the loop judged it last: what lists and pages read. One row for each that is judged by itself.
CREATE TABLE IF NOT EXISTS slo_statuses
(
  slo        String                 COMMENT 'name of the SLO in the registry',
  objective  UInt16                 COMMENT 'place of the objective',
  slo_group  String                 COMMENT 'values of the group-by subjects as JSON, empty without',
  judged_at  DateTime64(3, 'UTC')   COMMENT 'when it was judged, by our clock',
  condition  LowCardinality(String) COMMENT 'as in SloState',
  generation UInt32                 COMMENT 'generation of the question',
  status     String                 COMMENT 'SloStatus as JSON' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(judged_at)
ORDER BY (slo, objective, slo_group)
TTL toDateTime(judged_at) + INTERVAL 2 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
