-- Samples of gauges and sums that were sent as floats. NaN is a gap: a point that says it has no value, or no number.
CREATE TABLE IF NOT EXISTS samples_float
(
  metric     LowCardinality(String) COMMENT 'metric name',
  series     UInt64                 COMMENT 'series.series' CODEC(Delta(8), ZSTD(1)),
  ts         DateTime64(3, 'UTC')   COMMENT 'time of the point, ms; time_unix_nano' CODEC(DoubleDelta, ZSTD(1)),
  started_at DateTime64(3, 'UTC')   COMMENT 'start of what the point covers, ms; 1970 when it does not say' CODEC(Delta(8), ZSTD(1)),
  batch      UInt64                 COMMENT 'the insert that brought the row; in wide blocks, within which it repeats from series to series' CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
  value      Float64                COMMENT 'as_double; NaN where there is no value' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, series, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS samples_float_mv TO samples_float AS
SELECT substring(name, 1, 256) AS metric,
  sipHash64(name, kind, temporality, is_monotonic, res_id, scope_name, scope_version,
    arraySort(arrayZip(p.attributes.key, arrayMap((s, i, b, d) -> multiIf(s != '', s, isNotNull(i), toString(assumeNotNull(i)), isNotNull(b), toString(assumeNotNull(b)), isNotNull(d), toString(assumeNotNull(d)), ''), p.attributes.value.string_value, p.attributes.value.int_value, p.attributes.value.bool_value, p.attributes.value.double_value)))) AS series,
  fromUnixTimestamp64Milli(toInt64(intDiv(p.time_unix_nano, 1000000)), 'UTC') AS ts,
  fromUnixTimestamp64Milli(toInt64(if(p.start_time_unix_nano <= p.time_unix_nano, intDiv(p.start_time_unix_nano, 1000000), 0)), 'UTC') AS started_at,
  batch, ifNull(p.as_double, nan) AS value
FROM (
  SELECT res_id, batch, sm.scope.name AS scope_name, sm.scope.version AS scope_version, m.name AS name, toInt8(if(notEmpty(m.sum.data_points), 2, 1)) AS kind,
    toInt8(if(notEmpty(m.sum.data_points), if(m.sum.aggregation_temporality IN (1, 2), m.sum.aggregation_temporality, 0), 0)) AS temporality, toBool(notEmpty(m.sum.data_points) AND m.sum.is_monotonic) AS is_monotonic, arrayConcat(m.gauge.data_points, m.sum.data_points) AS points
  FROM otlp_metrics ARRAY JOIN scope_metrics AS sm ARRAY JOIN sm.metrics AS m
) ARRAY JOIN points AS p
WHERE isNull(p.as_int);
