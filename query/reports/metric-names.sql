-- Which metrics are there?
-- prefix: of the name, '' for all. from: DateTime('UTC'), seen since. limit: rows at most.
-- Row: metric, kind, temporality, unit, description, number of series, whether it has an overflow series, last written
-- down (s since epoch; at most a day before the last sample). `series` is sorted by metric.
SELECT metric, toString(argMax(kind, seen_at)) AS kind, toString(argMax(temporality, seen_at)) AS temporality,
  argMax(is_monotonic, seen_at) AS is_monotonic, argMax(unit, seen_at) AS unit, argMax(description, seen_at) AS description,
  uniqExact(series) AS series_count, max(is_overflow) AS has_overflow, toUnixTimestamp(max(seen_at)) AS last_seen
FROM series
WHERE startsWith(metric, {prefix:String}) AND seen_at >= {from:DateTime('UTC')} - INTERVAL 25 HOUR
GROUP BY metric
ORDER BY metric
LIMIT {limit:UInt32}
