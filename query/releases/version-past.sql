-- Which versions did services have before a range, and from when to when?
-- from, to: DateTime('UTC'), whole hours. Row: service, version, system; begin of its first hour, end of its last request, s since epoch.
-- Hours where there are hours (see reports/wholes.ts).
SELECT service, version, any(system) AS said, toUnixTimestamp(min(bucket)) AS since, toUnixTimestamp(max(bucket)) + 10 AS until,
  sum(requests) AS asked
FROM requests_10s
WHERE traffic = 'live' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
GROUP BY service, version
ORDER BY service, version
LIMIT 50000
