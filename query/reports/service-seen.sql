-- From when to when did each version of some services take requests?
-- services: exactly. from, to: DateTime('UTC'). traffic: exactly.
-- Row: service, version, system; begin of its first bucket and end of its last 10 s with a request, s since epoch.
-- The key (service, bucket) reads those services alone, of hours where there are hours.
SELECT service, version, system, toUnixTimestamp(min(bucket)) AS since, toUnixTimestamp(max(bucket)) + 10 AS last_seen
FROM requests_10s
WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND traffic = {traffic:String}
  AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
GROUP BY service, version, system
ORDER BY since DESC, service, version, system
LIMIT 2000
