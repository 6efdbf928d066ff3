-- Where did some services serve, and what failed or was slow there by itself?
-- from, to: DateTime('UTC'), minute edges. services: exactly. usual: DateTime('UTC'), own times until then are the usual ones.
-- OPEN_INSTANCES stands for the rows of minutes that are not derived yet. limit: rows at most, most requests first.
-- Row: minute since 1970, place, requests, those that failed, and those that took longer than the usual 95th percentile of the service.
SELECT minute, place_service AS service, version, site, zone, cluster, node, weighted / 1000 AS requests, bad / 1000 AS failed,
  arraySum(arrayMap((edge, weight) -> if(u.edge95 > 0 AND edge > u.edge95, weight, 0), own.1, own.2)) / 1000 AS slow
FROM
(
  SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(service) AS place_service, toString(version) AS version, toString(site) AS site,
    toString(zone) AS zone, toString(cluster) AS cluster, toString(node) AS node, sum(weighted_) AS weighted, sum(bad_) AS bad,
    sumMap(own_buckets, own_weights) AS own
  FROM
  (
    SELECT bucket, service, version, site, zone, cluster, node, weighted AS weighted_, bad AS bad_, own_buckets, own_weights
    FROM instance_requests_1m
    WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND has({services:Array(String)}, service)
      AND (bucket, derivation) IN (
        SELECT bucket, max(derivation) FROM derivations
        WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
        GROUP BY bucket)
    UNION ALL
    SELECT bucket, service, version, site, zone, cluster, node, weighted AS weighted_, bad AS bad_, own_buckets, own_weights
    FROM
    (
OPEN_INSTANCES
    ) AS open_rows
    WHERE has({services:Array(String)}, service)
  ) AS served
  GROUP BY minute, place_service, version, site, zone, cluster, node
) AS places
LEFT JOIN
(
  SELECT toString(service) AS usual_service, sumMap(own_buckets, own_weights) AS own, arrayCumSum(own.2) AS until,
    own.1[arrayFirstIndex(sum_until -> sum_until >= 0.95 * until[-1], until)] AS edge95
  FROM instance_requests_1m
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {usual:DateTime('UTC')} AND has({services:Array(String)}, service)
    AND (bucket, derivation) IN (
      SELECT bucket, max(derivation) FROM derivations
      WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
      GROUP BY bucket)
  GROUP BY usual_service
) AS u ON u.usual_service = places.place_service
ORDER BY requests DESC, minute, service, version, site, zone, cluster, node
LIMIT {limit:UInt32}
