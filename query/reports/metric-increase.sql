-- By how much did some counters grow, by step and group?
-- metric, ids, groups, overflow, from, to, step: as in metric-values.sql. since: ms since epoch, before from: where samples
-- are read from, so that the first step has something to grow from. is_delta: 1 when samples are increases themselves.
-- is_monotonic: 1 when a smaller value than before is a reset. Row: group, at (ms), increase.
-- A counter that began again (its start lies after the sample before, or its value is smaller) counts from zero; a series
-- without an earlier sample counts whole when it began within what is read, else from its first sample on.
SELECT transform(series, {ids:Array(UInt64)}, {groups:Array(UInt32)}, toUInt32(0)) AS grp,
  intDiv(toUnixTimestamp64Milli(ts), {step:Int64}) * {step:Int64} AS at, sum(increase) AS increase
FROM (
  SELECT series, ts, multiIf(
      {is_delta:UInt8} = 1, toFloat64(v),
      nth = 0, if(toUnixTimestamp64Milli(started_at) >= {since:Int64}, toFloat64(v), 0),
      started_at > before_ts OR ({is_monotonic:UInt8} = 1 AND v < before), toFloat64(v),
      toFloat64(v - before)) AS increase
  FROM (
    SELECT series, ts, started_at, v, lagInFrame(v) OVER w AS before, lagInFrame(ts) OVER w AS before_ts, lagInFrame(toUInt8(1)) OVER w AS nth
    FROM (
      SELECT series, ts, started_at, value AS v FROM samples_int WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
        AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
    )
    WINDOW w AS (PARTITION BY series ORDER BY ts ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
  UNION ALL
  SELECT series, ts, multiIf(
      {is_delta:UInt8} = 1, toFloat64(v),
      nth = 0, if(toUnixTimestamp64Milli(started_at) >= {since:Int64}, toFloat64(v), 0),
      started_at > before_ts OR ({is_monotonic:UInt8} = 1 AND v < before), toFloat64(v),
      toFloat64(v - before)) AS increase
  FROM (
    SELECT series, ts, started_at, v, lagInFrame(v) OVER w AS before, lagInFrame(ts) OVER w AS before_ts, lagInFrame(toUInt8(1)) OVER w AS nth
    FROM (
      SELECT series, ts, started_at, value AS v FROM samples_float WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
        AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT isNaN(value)
        LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
    )
    WINDOW w AS (PARTITION BY series ORDER BY ts ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
  UNION ALL
  SELECT series, ts, multiIf(
      {is_delta:UInt8} = 1, toFloat64(v),
      nth = 0, if(toUnixTimestamp64Milli(started_at) >= {since:Int64}, toFloat64(v), 0),
      started_at > before_ts OR ({is_monotonic:UInt8} = 1 AND v < before), toFloat64(v),
      toFloat64(v - before)) AS increase
  FROM (
    SELECT series, ts, started_at, v, lagInFrame(v) OVER w AS before, lagInFrame(ts) OVER w AS before_ts, lagInFrame(toUInt8(1)) OVER w AS nth
    FROM (
      SELECT series, ts, started_at, toInt64(count) AS v FROM summaries WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
        AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT is_gap
        LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
    )
    WINDOW w AS (PARTITION BY series ORDER BY ts ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
)
WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
GROUP BY grp, at
ORDER BY grp, at
LIMIT 200001
