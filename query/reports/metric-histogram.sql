-- How were observations distributed, by step and group, from histograms with explicit bounds?
-- Parameters as in metric-increase.sql. Row: group, at (ms), bounds, observations by bucket, their number, sum, smallest and
-- largest (NaN when not sent). Resets as in metric-increase.sql; other bounds than before are a reset too.
SELECT transform(series, {ids:Array(UInt64)}, {groups:Array(UInt32)}, toUInt32(0)) AS grp,
  intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64} AS at, bounds, sumForEach(counts) AS buckets,
  sum(observations) AS count, sum(total) AS sum, minIf(min, NOT isNaN(min)) AS least, maxIf(max, NOT isNaN(max)) AS most,
  countIf(NOT isNaN(min)) AS with_min, countIf(NOT isNaN(max)) AS with_max
FROM (
  SELECT series, ts, bounds, min, max,
    multiIf({is_delta:UInt8} = 1, 1, nth = 0, if(toUnixTimestamp64Milli(started_at) >= {since:Int64}, 1, 0),
      started_at > before_ts OR count < before_count OR bounds != before_bounds OR length(buckets) != length(before_buckets)
        OR arrayExists((now, then) -> now < then, buckets, if(length(buckets) = length(before_buckets), before_buckets, buckets)), 1, 2) AS how,
    multiIf(how = 0, arrayMap(b -> 0., buckets), how = 1, arrayMap(b -> toFloat64(b), buckets),
      arrayMap((now, then) -> toFloat64(now) - toFloat64(then), buckets, if(length(buckets) = length(before_buckets), before_buckets, buckets))) AS counts,
    multiIf(how = 0, 0., how = 1, toFloat64(count), toFloat64(count) - toFloat64(before_count)) AS observations,
    multiIf(how = 0, 0., how = 1, sum, sum - before_sum) AS total
  FROM (
    SELECT series, ts, started_at, bounds, buckets, count, sum, min, max, lagInFrame(bounds) OVER w AS before_bounds,
      lagInFrame(buckets) OVER w AS before_buckets, lagInFrame(count) OVER w AS before_count, lagInFrame(sum) OVER w AS before_sum,
      lagInFrame(ts) OVER w AS before_ts, lagInFrame(toUInt8(1)) OVER w AS nth
    FROM (
      SELECT * FROM histograms WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
        AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT is_gap
        LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
    )
    WINDOW w AS (PARTITION BY series ORDER BY ts ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
)
WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
GROUP BY grp, at, bounds
ORDER BY grp, at
LIMIT 200001
