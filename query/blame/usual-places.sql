-- How long do some services usually take by themselves? from, to: DateTime('UTC'), minute edges. services: exactly. KEPT_MINUTES stands for
-- kept-minutes.sql. Row: service, bucket of its 95th percentile (16 a decade, ns).
SELECT toString(service) AS service_, sumMap(own_buckets, own_weights) AS own, arrayCumSum(own.2) AS until,
  own.1[arrayFirstIndex(sum_until -> sum_until >= 0.95 * until[-1], until)] AS edge95
FROM instance_requests_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND has({services:Array(String)}, service) AND KEPT_MINUTES
GROUP BY service_
ORDER BY service_
