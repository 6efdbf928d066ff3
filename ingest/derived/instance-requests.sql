-- Which requests were served where in one minute, or in one slice of it, and which failed or were slow by themselves? Live traffic.
-- from: s since epoch, start of the minute. slice of slices, by trace id. NODES stands for nodes.sql, SERVICES narrows to services.
-- Row: as in instance_requests_1m, without slice and derivation. What a process did within a trace is one: its requests less its
-- calls, however they are nested; of several requests of one trace each has the same share. A failing request that failed right below it in
-- another process, without a CLIENT span between (clients that are not instrumented), was passed on as well: else one failure would
-- be counted once a service of its chain.
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, toString(service) AS service, toString(version) AS version, toString(environment) AS environment,
  toString(system) AS system, toString(site) AS site, toString(zone) AS zone, toString(cluster) AS cluster, n.node AS node,
  sum(s.served) AS requests, sum(s.weighted_served) AS weighted, sum(s.weighted_bad) AS bad, min(s.first_second) AS first_s, max(s.last_second) AS last_s,
  sumMap([s.own_bucket], [s.weighted_served]) AS histogram, histogram.1 AS own_buckets, histogram.2 AS own_weights
FROM
(
  SELECT p.res_id AS res_id, p.own_bucket AS own_bucket, sum(p.served) AS served, sum(p.weight_served) AS weighted_served,
    sum(if(p.calls_failed, 0, p.weight_failed)) AS weighted_bad, min(p.first_second) AS first_second, max(p.last_second) AS last_second
  FROM
  (
    SELECT trace, res_id, countIf(is_request) AS served, sumIf(weight, is_request) AS weight_served,
      sumIf(weight, is_request AND is_bad) AS weight_failed, maxIf(is_bad, is_call) OR max(is_passed_on) AS calls_failed,
      sumIf(duration_ns, is_request) AS took, sumIf(duration_ns, is_call) AS waited,
      minIf(second, is_request) AS first_second, maxIf(second, is_request) AS last_second,
      toUInt8(least(255, floor(16 * log10(greatest(if(took > waited, intDiv(took - waited, served), 1), 1))))) AS own_bucket
    FROM
    (
      -- All of the id: those of some generators begin alike.
      SELECT cityHash64(trace_id) AS trace, res_id, weight, duration_ns, toUInt8(toSecond(ts)) AS second, kind IN (3, 4) AS is_call,
        kind IN (2, 5) AND traffic = 'live' AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND AS is_request,
        outcome IN ('business_error', 'shed', 'system_error') AS is_bad,
        kind = 2 AND is_bad AND (trace_id, span_id) IN (
          SELECT trace_id, parent_id FROM spans
          WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND AND kind = 2
            AND outcome IN ('business_error', 'shed', 'system_error') AND parent_id != toFixedString('', 8)
        ) AS is_passed_on
      FROM spans
      WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
        AND kind IN (2, 3, 4, 5) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND SERVICES
    )
    GROUP BY trace, res_id
    HAVING served > 0
  ) AS p
  GROUP BY res_id, own_bucket
) AS s
ANY LEFT JOIN
(
  SELECT res_id, service, version, environment, system, site, zone, cluster
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND AND kind IN (2, 5) AND SERVICES
  LIMIT 1 BY res_id
) AS processes ON processes.res_id = s.res_id
ANY LEFT JOIN
(
NODES
) AS n ON n.res_id = s.res_id
GROUP BY service, version, environment, system, site, zone, cluster, node
