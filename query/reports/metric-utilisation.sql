-- What do nodes and containers use now, and what may they?
-- from, to: ms since epoch. metrics: names that are looked at.
-- Row: one series with its newest sample: metric, value, at (ms), where it runs. Reads along the key (metric, series, ts).
SELECT metric, value, at, site, zone, cluster, attr_v[indexOf(attr_k, 'k8s.node.name')] AS node, attr_v[indexOf(attr_k, 'host.name')] AS host,
  attr_v[indexOf(attr_k, 'k8s.namespace.name')] AS namespace, attr_v[indexOf(attr_k, 'k8s.pod.name')] AS pod, attr_v[indexOf(attr_k, 'k8s.container.name')] AS container
FROM (
  SELECT metric, series, argMax(v, ts) AS value, toUnixTimestamp64Milli(max(ts)) AS at
  FROM (
    SELECT metric, series, ts, toFloat64(value) AS v FROM samples_int
    WHERE metric IN {metrics:Array(String)} AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
    UNION ALL
    SELECT metric, series, ts, value AS v FROM samples_float
    WHERE metric IN {metrics:Array(String)} AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND isFinite(value)
  )
  GROUP BY metric, series
  ORDER BY metric, series
  LIMIT 20000
) AS newest
INNER JOIN (
  SELECT metric, series, res_id, site, zone, cluster FROM series
  WHERE metric IN {metrics:Array(String)} AND NOT is_overflow
  ORDER BY seen_at DESC LIMIT 1 BY metric, series
) AS s USING (metric, series)
LEFT JOIN (
  SELECT res_id, any(attr_k) AS attr_k, any(attr_v) AS attr_v FROM resources
  WHERE res_id IN (SELECT res_id FROM series WHERE metric IN {metrics:Array(String)})
  GROUP BY res_id
) AS r USING (res_id)
