-- Which quantiles did summaries report last, by step?
-- metric, ids: as in metric-values.sql. from, to: ms since epoch. step: ms. Row: series, at (ms), quantiles and their values.
SELECT toString(series) AS id, intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64} AS at,
  argMax(quantile, ts) AS quantiles, argMax(value, ts) AS vals
FROM summaries
WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
  AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT is_gap
GROUP BY series, at
ORDER BY series, at
LIMIT 200001
