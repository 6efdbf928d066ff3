-- How much CPU time did each version of a service take, by minute?
-- service: exactly. metrics: names of what tells CPU time, the preferred ones first. from, to: ms since epoch, minute edges. since: ms since epoch, before from: where samples are read from, so that
-- counters have something to grow from. Row: metric, version, minute since 1970, CPU seconds, instances that told of it.
-- Counters grow as in metric-increase.sql; a gauge is cores, of which a minute has sixty seconds. A series that does not know its version
-- (a container's) has the one that traces of its pod tell. Reads the series of these metrics, then along the key (metric, series, ts).
WITH
told AS (
  SELECT res_id, any(toString(service)) AS name, any(attr_v[indexOf(attr_k, 'service.version')]) AS version, any(attr_v[indexOf(attr_k, 'k8s.pod.name')]) AS pod
  FROM resources
  WHERE seen_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') - INTERVAL 25 HOUR
  GROUP BY res_id
),
of_pods AS (
  SELECT pod, any(version) AS pod_version FROM told WHERE name = {service:String} AND version != '' AND pod != '' GROUP BY pod
),
known AS (
  SELECT metric, series, res_id, if(own != '' AND owner = {service:String}, own, pod_version) AS version, is_gauge, is_delta
  FROM (
    SELECT metric, series, res_id, toString(s.service) AS owner, toString(s.version) AS own, kind = 'gauge' AS is_gauge, temporality = 'delta' AS is_delta, pod
    FROM (
      SELECT * FROM series
      WHERE metric IN (SELECT arrayJoin({metrics:Array(String)})) AND NOT is_overflow AND seen_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') - INTERVAL 25 HOUR
      ORDER BY seen_at DESC LIMIT 1 BY metric, series
    ) AS s
    LEFT JOIN told USING (res_id)
    WHERE s.service IN ('', 'unknown_service', {service:String})
  ) AS named
  LEFT JOIN of_pods USING (pod)
  WHERE version != ''
),
samples AS (
  SELECT metric, series, ts, started_at, toFloat64(value) AS v FROM samples_int
  WHERE metric IN (SELECT arrayJoin({metrics:Array(String)})) AND series IN (SELECT series FROM known)
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  UNION ALL
  SELECT metric, series, ts, started_at, value AS v FROM samples_float
  WHERE metric IN (SELECT arrayJoin({metrics:Array(String)})) AND series IN (SELECT series FROM known)
    AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND isFinite(value)
)
SELECT toString(metric) AS metric_, version AS version_, minute, sum(seconds) AS cpu_seconds, uniqExact(res_id) AS instances
FROM (
  SELECT metric, series, intDiv(toUnixTimestamp64Milli(ts), 60000) AS minute,
    if(any(is_gauge), avg(v) * 60, sum(multiIf(is_gauge OR is_delta, v, nth = 0, if(toUnixTimestamp64Milli(started_at) >= {since:Int64}, v, 0), started_at > before_ts OR v < before, v, v - before))) AS seconds,
    any(version) AS version, any(res_id) AS res_id
  FROM (
    SELECT metric, series, ts, started_at, v, is_gauge, is_delta, version, res_id, lagInFrame(v) OVER w AS before, lagInFrame(ts) OVER w AS before_ts, lagInFrame(toUInt8(1)) OVER w AS nth
    FROM (SELECT * FROM samples LIMIT 1 BY metric, series, ts) AS once
    INNER JOIN known USING (metric, series)
    WINDOW w AS (PARTITION BY metric, series ORDER BY ts ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
  )
  WHERE ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  GROUP BY metric, series, minute
)
GROUP BY metric, version, minute
ORDER BY metric_, version_, minute
LIMIT 100000
