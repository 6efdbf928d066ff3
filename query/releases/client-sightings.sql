-- When did versions of client applications send live requests?
-- versions: exactly. from, to: DateTime('UTC'). Row: version, begin of the first and end of the last second, requests, s since epoch.
-- Entry spans of the range: asked for versions that a release names and that were not seen yet.
SELECT client_version AS version, toUnixTimestamp(toDateTime(min(ts), 'UTC')) AS since, toUnixTimestamp(toDateTime(max(ts), 'UTC')) + 1 AS until,
  sum(weight) / 1000 AS asked
FROM spans
WHERE client_version IN (SELECT arrayJoin({versions:Array(String)})) AND kind IN (2, 5) AND traffic = 'live'
  AND ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')}
GROUP BY version
ORDER BY version
LIMIT 1000
