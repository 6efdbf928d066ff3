-- What were the samples of some series, by step and group?
-- metric, ids: the series; groups: their groups, in the same order; overflow: those of ids that hold many senders' points.
-- from, to: ms since epoch. step: ms. Row: group, at (start of the step, ms), mean, smallest, largest, newest sample, and
-- the sum over series of each one's newest sample. Gaps (NaN) are left out. Reads along the key (metric, series, ts).
SELECT grp, at, sum(total) / sum(samples) AS avg, min(least) AS min, max(most) AS max, argMax(newest, newest_at) AS last, sum(newest) AS sum
FROM (
  SELECT transform(series, {ids:Array(UInt64)}, {groups:Array(UInt32)}, toUInt32(0)) AS grp, series,
    intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64} AS at,
    count() AS samples, sum(v) AS total, min(v) AS least, max(v) AS most, argMax(v, ts) AS newest, max(ts) AS newest_at
  FROM (
    SELECT series, ts, toFloat64(value) AS v FROM samples_int WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
      AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
    UNION ALL
    SELECT series, ts, value AS v FROM samples_float WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
      AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT isNaN(value)
      LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
  )
  GROUP BY series, at
)
GROUP BY grp, at
ORDER BY grp, at
LIMIT 200001
