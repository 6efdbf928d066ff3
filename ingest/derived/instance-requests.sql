-- Which requests were served where in one minute, or in one slice of it, and which failed or were slow by themselves?
-- from: s since epoch, start of the minute. slice of slices, by trace id. NODES stands for nodes.sql.
-- Row: as in instance_requests_1m, without slice and derivation. What a process did within a trace is one: its requests less its
-- calls, however they are nested; of several requests of one trace each has the same share.
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, traffic, service, version, environment, system, site, zone, cluster, n.node AS node,
  sum(s.served) AS requests, sum(s.weighted_served) AS weighted, sum(s.weighted_bad) AS bad, min(s.first_second) AS first_s, max(s.last_second) AS last_s,
  sumMap([s.own_bucket], [s.weighted_served]) AS histogram, histogram.1 AS own_buckets, histogram.2 AS own_weights
FROM
(
  SELECT res_id, traffic, own_bucket, toString(any(p.service)) AS service, toString(any(p.version)) AS version, toString(any(p.environment)) AS environment,
    toString(any(p.system)) AS system, toString(any(p.site)) AS site, toString(any(p.zone)) AS zone, toString(any(p.cluster)) AS cluster,
    sum(p.served) AS served, sum(p.weight_served) AS weighted_served, sum(if(p.calls_failed, 0, p.weight_failed)) AS weighted_bad,
    min(p.first_second) AS first_second, max(p.last_second) AS last_second
  FROM
  (
    SELECT trace_id, res_id, any(service) AS service, any(version) AS version, any(environment) AS environment, any(system) AS system,
      any(site) AS site, any(zone) AS zone, any(cluster) AS cluster, maxIf(toString(traffic), is_request) AS traffic,
      countIf(is_request) AS served, sumIf(toUInt64(weight), is_request) AS weight_served,
      sumIf(toUInt64(weight), is_request AND is_bad) AS weight_failed, countIf(kind IN (3, 4) AND is_bad) > 0 AS calls_failed,
      sumIf(duration_ns, is_request) AS took, sumIf(duration_ns, kind IN (3, 4)) AS waited,
      minIf(toUInt8(toSecond(ts)), is_request) AS first_second, maxIf(toUInt8(toSecond(ts)), is_request) AS last_second,
      toUInt8(least(255, floor(16 * log10(greatest(if(took > waited, intDiv(took - waited, served), 1), 1))))) AS own_bucket
    FROM
    (
      SELECT *, kind IN (2, 5) AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND AS is_request,
        outcome IN ('business_error', 'shed', 'system_error') AS is_bad
      FROM spans
      WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
        AND kind IN (2, 3, 4, 5) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16}
    )
    GROUP BY trace_id, res_id
    HAVING served > 0
  ) AS p
  GROUP BY res_id, traffic, own_bucket
) AS s
ANY LEFT JOIN
(
NODES
) AS n ON n.res_id = s.res_id
GROUP BY traffic, service, version, environment, system, site, zone, cluster, node
