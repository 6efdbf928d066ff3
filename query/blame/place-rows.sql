-- Where did some services serve, and what failed or was slow there by itself, in minutes that are derived?
-- from, to: DateTime('UTC'), minute edges. services: exactly. edge_services, edges: services and the bucket of own times beyond which each is slow, as
-- usual-places.sql tells. KEPT_MINUTES stands for kept-minutes.sql. limit: rows at most, most requests first.
-- Row: minute since 1970, place, requests, those that failed, and those that took longer than the usual 95th percentile of the service.
SELECT minute, service_ AS service, version_ AS version, site_ AS site, zone_ AS zone, cluster_ AS cluster, node_ AS node, weighted_ / 1000 AS requests,
  bad_ / 1000 AS failed, arraySum((edge, weight) -> if(slow_from > 0 AND edge > slow_from, weight, 0), own.1, own.2) / 1000 AS slow
FROM
(
  SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(service) AS service_, toString(version) AS version_, toString(site) AS site_,
    toString(zone) AS zone_, toString(cluster) AS cluster_, toString(node) AS node_, sum(weighted) AS weighted_, sum(bad) AS bad_,
    sumMap(own_buckets, own_weights) AS own, {edges:Array(UInt8)}[indexOf({edge_services:Array(String)}, service_)] AS slow_from
  FROM instance_requests_1m
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND has({services:Array(String)}, service) AND KEPT_MINUTES
  GROUP BY minute, service_, version_, site_, zone_, cluster_, node_
) AS places
ORDER BY requests DESC, minute, service, version, site, zone, cluster, node
LIMIT {limit:UInt32}
