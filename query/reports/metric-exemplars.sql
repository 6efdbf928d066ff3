-- Which single observations stand beside the points of some series?
-- metric, ids: as in metric-values.sql. from, to: ms since epoch. limit: rows at most. Row: one exemplar, newest first; observed at
-- in ns since epoch, ids in hexadecimal, attributes as two arrays.
SELECT toString(series) AS id, toUnixTimestamp64Milli(ts) AS at, at_ns, value, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, attr_k, attr_v
FROM exemplars
WHERE metric = {metric:String} AND series IN (SELECT arrayJoin({ids:Array(UInt64)}))
  AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY ts DESC, trace
LIMIT {limit:UInt32}
