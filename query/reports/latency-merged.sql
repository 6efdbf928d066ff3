-- How long do requests take, by service and version, over a range taken as one?
-- from, to: DateTime('UTC'), minute edges. Row: service, version, p50, p95, p99 in ns.
SELECT service, version, quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency) AS quantiles
FROM requests_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  AND traffic = {traffic:String}
  AND ({site:String} = '' OR site = {site:String})
  AND ({channel:String} = '' OR channel = {channel:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY service, version
LIMIT 5000
