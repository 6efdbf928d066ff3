-- Exemplars: single observations with the trace they came from, beside the point that counted them.
CREATE TABLE IF NOT EXISTS exemplars
(
  metric   LowCardinality(String) COMMENT 'metric name',
  series   UInt64                 COMMENT 'series.series' CODEC(Delta(8), ZSTD(1)),
  ts       DateTime64(3, 'UTC')   COMMENT 'time of the point, ms' CODEC(DoubleDelta, ZSTD(1)),
  batch    UInt64                 COMMENT 'the insert that brought the row' CODEC(ZSTD(1)),
  at_ns    UInt64                 COMMENT 'when it was observed, ns since epoch, as sent' CODEC(Delta(8), ZSTD(1)),
  value    Float64                COMMENT 'as_double or as_int; NaN where there is none' CODEC(ZSTD(1)),
  trace_id FixedString(16)        COMMENT '16 raw bytes; zeros for none' CODEC(ZSTD(1)),
  span_id  FixedString(8)         COMMENT '8 raw bytes; zeros for none' CODEC(ZSTD(1)),
  attr_k   Array(LowCardinality(String)) COMMENT 'attributes that the series leaves out: keys' CODEC(ZSTD(1)),
  attr_v   Array(String)          COMMENT 'their values as text' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (metric, series, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

CREATE MATERIALIZED VIEW IF NOT EXISTS exemplars_mv TO exemplars AS
SELECT substring(name, 1, 256) AS metric, series, ts, batch, e.time_unix_nano AS at_ns,
  ifNull(e.as_double, ifNull(toFloat64(e.as_int), nan)) AS value,
  toFixedString(substring(e.trace_id, 1, 16), 16) AS trace_id, toFixedString(substring(e.span_id, 1, 8), 8) AS span_id,
  e.filtered_attributes.key AS attr_k, arrayMap((s, i, b, d) -> multiIf(s != '', s, isNotNull(i), toString(assumeNotNull(i)), isNotNull(b), toString(assumeNotNull(b)), isNotNull(d), toString(assumeNotNull(d)), ''), e.filtered_attributes.value.string_value, e.filtered_attributes.value.int_value, e.filtered_attributes.value.bool_value, e.filtered_attributes.value.double_value) AS attr_v
FROM (
  SELECT name, batch, sipHash64(name, kind, temporality, is_monotonic, res_id, scope_name, scope_version,
      arraySort(arrayZip(p.1.key, arrayMap((s, i, b, d) -> multiIf(s != '', s, isNotNull(i), toString(assumeNotNull(i)), isNotNull(b), toString(assumeNotNull(b)), isNotNull(d), toString(assumeNotNull(d)), ''), p.1.value.string_value, p.1.value.int_value, p.1.value.bool_value, p.1.value.double_value)))) AS series,
    fromUnixTimestamp64Milli(toInt64(intDiv(p.2, 1000000)), 'UTC') AS ts, p.3 AS exemplars
  FROM (
    SELECT res_id, batch, sm.scope.name AS scope_name, sm.scope.version AS scope_version, m.name AS name,
      toInt8(multiIf(notEmpty(m.sum.data_points), 2, notEmpty(m.gauge.data_points), 1, notEmpty(m.histogram.data_points), 3, 4)) AS kind,
      toInt8(multiIf(kind = 2, if(m.sum.aggregation_temporality IN (1, 2), m.sum.aggregation_temporality, 0), kind = 1, 0, kind = 3, if(m.histogram.aggregation_temporality IN (1, 2), m.histogram.aggregation_temporality, 0),
        if(m.exponential_histogram.aggregation_temporality IN (1, 2), m.exponential_histogram.aggregation_temporality, 0))) AS temporality,
      toBool(kind = 2 AND m.sum.is_monotonic) AS is_monotonic,
      arrayConcat(
        arrayMap(p -> (p.attributes, p.time_unix_nano, p.exemplars), arrayFilter(p -> notEmpty(p.exemplars), m.gauge.data_points)),
        arrayMap(p -> (p.attributes, p.time_unix_nano, p.exemplars), arrayFilter(p -> notEmpty(p.exemplars), m.sum.data_points)),
        arrayMap(p -> (p.attributes, p.time_unix_nano, p.exemplars), arrayFilter(p -> notEmpty(p.exemplars), m.histogram.data_points)),
        arrayMap(p -> (p.attributes, p.time_unix_nano, p.exemplars), arrayFilter(p -> notEmpty(p.exemplars), m.exponential_histogram.data_points))) AS points
    FROM otlp_metrics ARRAY JOIN scope_metrics AS sm ARRAY JOIN sm.metrics AS m
    WHERE notEmpty(points)
  ) ARRAY JOIN points AS p
) ARRAY JOIN exemplars AS e;
