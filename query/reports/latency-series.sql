-- How long do one service's requests take over time, by version?
-- from, to: DateTime('UTC'), minute edges. step: seconds per point, a multiple of 60.
-- Row: version, at (start of the point, s since epoch), p50, p95, p99 in ns.
-- Minute states merge exactly; each latency is kept to 0.4 %.
SELECT version, toUnixTimestamp(toStartOfInterval(bucket, toIntervalSecond({step:UInt32}))) AS at,
  quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency) AS quantiles
FROM requests_1m
WHERE service = {service:String}
  AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  AND traffic = {traffic:String}
  AND ({site:String} = '' OR site = {site:String})
  AND ({channel:String} = '' OR channel = {channel:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY version, at
ORDER BY version, at
LIMIT 50000
