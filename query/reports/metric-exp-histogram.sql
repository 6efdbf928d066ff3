-- Which points have some exponential histograms?
-- metric, ids, overflow: as in metric-values.sql. since, to: ms since epoch. Row: one point, in order of series and time; instants
-- in ms since epoch. Their scales differ, so growing and merging is done by the reader. Reads along the sorting key.
SELECT toString(series) AS id, toUnixTimestamp64Milli(ts) AS at, toUnixTimestamp64Milli(started_at) AS started, count, sum,
  min, max, scale, zero_count, pos_offset, pos, neg_offset, neg
FROM (
  SELECT * FROM exp_histograms WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND NOT is_gap
    LIMIT 1 BY series, ts, if(series IN (SELECT arrayJoin({overflow:Array(UInt64)})), rowNumberInAllBlocks(), 0)
)
ORDER BY series, ts
LIMIT 50001
