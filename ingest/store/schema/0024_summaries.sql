-- Summaries, as they came: quantiles that the sender computed and that nobody can merge.
CREATE TABLE IF NOT EXISTS summaries
(
  metric     LowCardinality(String) COMMENT 'metric name',
  series     UInt64                 COMMENT 'series.series' CODEC(Delta(8), ZSTD(1)),
  ts         DateTime64(3, 'UTC')   COMMENT 'time of the point, ms; time_unix_nano' CODEC(DoubleDelta, ZSTD(1)),
  started_at DateTime64(3, 'UTC')   COMMENT 'start of what the point covers, ms; 1970 when it does not say' CODEC(Delta(8), ZSTD(1)),
  batch      UInt64                 COMMENT 'the insert that brought the row; in wide blocks, within which it repeats from series to series' CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
  count      UInt64                 COMMENT 'observations' CODEC(T64, ZSTD(1)),
  sum        Float64                COMMENT 'of the observations' CODEC(ZSTD(1)),
  is_gap     Bool                   COMMENT 'the point says that it has no value',
  quantile   Array(Float64)         COMMENT 'which quantiles, 0–1' CODEC(ZSTD(1)),
  value      Array(Float64)         COMMENT 'their values, in the order of quantile' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, series, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS summaries_mv TO summaries AS
SELECT substring(name, 1, 256) AS metric,
  sipHash64(name, kind, temporality, is_monotonic, res_id, scope_name, scope_version,
    arraySort(arrayZip(p.attributes.key, arrayMap((s, i, b, d) -> multiIf(s != '', s, isNotNull(i), toString(assumeNotNull(i)), isNotNull(b), toString(assumeNotNull(b)), isNotNull(d), toString(assumeNotNull(d)), ''), p.attributes.value.string_value, p.attributes.value.int_value, p.attributes.value.bool_value, p.attributes.value.double_value)))) AS series,
  fromUnixTimestamp64Milli(toInt64(intDiv(p.time_unix_nano, 1000000)), 'UTC') AS ts,
  fromUnixTimestamp64Milli(toInt64(if(p.start_time_unix_nano <= p.time_unix_nano, intDiv(p.start_time_unix_nano, 1000000), 0)), 'UTC') AS started_at,
  batch, p.count AS count, p.sum AS sum, bitAnd(p.flags, 1) = 1 AS is_gap,
  p.quantile_values.quantile AS quantile, p.quantile_values.value AS value
FROM (
  SELECT res_id, batch, sm.scope.name AS scope_name, sm.scope.version AS scope_version, m.name AS name, toInt8(5) AS kind,
    toInt8(2) AS temporality, toBool(false) AS is_monotonic, m.summary.data_points AS points
  FROM otlp_metrics ARRAY JOIN scope_metrics AS sm ARRAY JOIN sm.metrics AS m
) ARRAY JOIN points AS p;
