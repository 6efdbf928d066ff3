-- How does each service and version answer, over a range?
-- from, to: DateTime('UTC'), 10 s edges. site, channel, region: '' for all. traffic: which kind of traffic.
-- Row: service, version, system; requests by outcome; end of the last bucket with a request, s since epoch.
-- The key (service, bucket) and day partitions make recent minutes cheap.
SELECT service, version, any(system) AS system,
  sumIf(requests, outcome = 'ok') AS ok,
  sumIf(requests, outcome = 'business_reject') AS business_reject,
  sumIf(requests, outcome = 'business_error') AS business_error,
  sumIf(requests, outcome = 'shed') AS shed,
  sumIf(requests, outcome = 'system_error') AS system_error,
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
