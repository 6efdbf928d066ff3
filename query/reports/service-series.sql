-- How does one service answer over time, by version?
-- from, to: DateTime('UTC'), 10 s edges. step: seconds per point, a multiple of 10.
-- Row: version, at (start of the point, s since epoch), requests, bad requests; sampled spans count for what they stand for.
SELECT version, toUnixTimestamp(toStartOfInterval(bucket, toIntervalSecond({step:UInt32}))) AS at,
  intDiv(sum(weighted) + 500, 1000) AS total,
  intDiv(sumIf(weighted, outcome IN ('business_error', 'shed', 'system_error')) + 500, 1000) AS bad
FROM requests_10s
WHERE service = {service:String}
  AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  AND traffic = {traffic:String}
  AND ({site:String} = '' OR site = {site:String})
  AND ({channel:String} = '' OR channel = {channel:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY version, at
ORDER BY version, at
LIMIT 50000
