-- Exponential histograms, as they came: bucket i of a scale holds (base^i, base^(i+1)], base = 2^(2^-scale).
CREATE TABLE IF NOT EXISTS exp_histograms
(
  metric     LowCardinality(String) COMMENT 'metric name',
  series     UInt64                 COMMENT 'series.series' CODEC(Delta(8), ZSTD(1)),
  ts         DateTime64(3, 'UTC')   COMMENT 'time of the point, ms; time_unix_nano' CODEC(DoubleDelta, ZSTD(1)),
  started_at DateTime64(3, 'UTC')   COMMENT 'start of what the point covers, ms; 1970 when it does not say' CODEC(Delta(8), ZSTD(1)),
  batch      UInt64                 COMMENT 'the insert that brought the row; in wide blocks, within which it repeats from series to series' CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
  count      UInt64                 COMMENT 'observations' CODEC(T64, ZSTD(1)),
  sum        Float64                COMMENT 'of the observations; NaN when absent' CODEC(ZSTD(1)),
  min        Float64                COMMENT 'NaN when absent' CODEC(ZSTD(1)),
  max        Float64                COMMENT 'NaN when absent' CODEC(ZSTD(1)),
  is_gap     Bool                   COMMENT 'the point says that it has no value',
  scale      Int32                  COMMENT 'resolution' CODEC(ZSTD(1)),
  zero_count UInt64                 COMMENT 'observations within the zero threshold' CODEC(T64, ZSTD(1)),
  zero_threshold Float64            COMMENT 'width of the zero bucket' CODEC(ZSTD(1)),
  pos_offset Int32                  COMMENT 'index of the first positive bucket' CODEC(ZSTD(1)),
  pos        Array(UInt64)          COMMENT 'positive buckets' CODEC(T64, ZSTD(1)),
  neg_offset Int32                  COMMENT 'index of the first negative bucket' CODEC(ZSTD(1)),
  neg        Array(UInt64)          COMMENT 'negative buckets' CODEC(T64, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, series, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS exp_histograms_mv TO exp_histograms AS
SELECT substring(name, 1, 256) AS metric,
  sipHash64(name, kind, temporality, is_monotonic, res_id, scope_name, scope_version,
    arraySort(arrayZip(p.attributes.key, arrayMap((s, i, b, d) -> multiIf(s != '', s, isNotNull(i), toString(assumeNotNull(i)), isNotNull(b), toString(assumeNotNull(b)), isNotNull(d), toString(assumeNotNull(d)), ''), p.attributes.value.string_value, p.attributes.value.int_value, p.attributes.value.bool_value, p.attributes.value.double_value)))) AS series,
  fromUnixTimestamp64Milli(toInt64(intDiv(p.time_unix_nano, 1000000)), 'UTC') AS ts,
  fromUnixTimestamp64Milli(toInt64(if(p.start_time_unix_nano <= p.time_unix_nano, intDiv(p.start_time_unix_nano, 1000000), 0)), 'UTC') AS started_at,
  batch, p.count AS count, ifNull(p.sum, nan) AS sum, ifNull(p.min, nan) AS min, ifNull(p.max, nan) AS max,
  bitAnd(p.flags, 1) = 1 AS is_gap, p.scale AS scale, p.zero_count AS zero_count, p.zero_threshold AS zero_threshold,
  p.positive.offset AS pos_offset, p.positive.bucket_counts AS pos, p.negative.offset AS neg_offset, p.negative.bucket_counts AS neg
FROM (
  SELECT res_id, batch, sm.scope.name AS scope_name, sm.scope.version AS scope_version, m.name AS name, toInt8(4) AS kind,
    toInt8(if(m.exponential_histogram.aggregation_temporality IN (1, 2), m.exponential_histogram.aggregation_temporality, 0)) AS temporality, toBool(false) AS is_monotonic, m.exponential_histogram.data_points AS points
  FROM otlp_metrics ARRAY JOIN scope_metrics AS sm ARRAY JOIN sm.metrics AS m
) ARRAY JOIN points AS p;
