-- How does each service and version answer, over a range?
-- from, to: DateTime('UTC'), 10 s edges. site, channel, region: '' for all. traffic: which kind of traffic.
-- Row: service, version, system; requests by outcome, sampled spans counted for what they stand for; whether any was; end of the last bucket with a request, s since epoch.
-- The key (service, bucket) and day partitions make recent minutes cheap.
SELECT service, version, any(system) AS system,
  intDiv(sumIf(weighted, outcome = 'ok') + 500, 1000) AS ok,
  intDiv(sumIf(weighted, outcome = 'business_reject') + 500, 1000) AS business_reject,
  intDiv(sumIf(weighted, outcome = 'business_error') + 500, 1000) AS business_error,
  intDiv(sumIf(weighted, outcome = 'shed') + 500, 1000) AS shed,
  intDiv(sumIf(weighted, outcome = 'system_error') + 500, 1000) AS system_error,
  sum(weighted) != 1000 * sum(requests) AS sampled,
  toUnixTimestamp(max(bucket)) + 10 AS last_seen
FROM requests_10s
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  AND traffic = {traffic:String}
  AND ({site:String} = '' OR site = {site:String})
  AND ({channel:String} = '' OR channel = {channel:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY service, version
ORDER BY service, version
LIMIT 5000
