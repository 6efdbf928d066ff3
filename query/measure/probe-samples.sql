-- How many results did a probe have, and how many were good, by step?
-- metric, ids: the series. from, to: ms since epoch. step: ms.
-- Row: start of the step (ms), results of 1 and more, all results. A result that was sent twice counts once.
SELECT intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64} AS at, countIf(v >= 1) AS good, count() AS total
FROM (
  SELECT series, ts, toFloat64(value) AS v FROM samples_int WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
    AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    LIMIT 1 BY series, ts
  UNION ALL
  SELECT series, ts, value AS v FROM samples_float WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
    AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT isNaN(value)
    LIMIT 1 BY series, ts
)
GROUP BY at
ORDER BY at
LIMIT 200001
