-- Which hours have minutes and were never derived? Asked once at a start: an upgrade, or a long absence.
-- before: s since epoch. Row: bucket (s since epoch), requests, no derivation; newest first. Reads two columns of the smallest
-- table of minutes.
SELECT toUnixTimestamp(toStartOfHour(bucket)) AS at, sum(requests) AS touching, 0 AS last
FROM service_requests_1m
WHERE bucket < toStartOfHour(toDateTime({before:UInt32}, 'UTC'))
  AND toStartOfHour(bucket) NOT IN (SELECT bucket FROM derivations WHERE name = 'requests_1h')
GROUP BY at
ORDER BY at DESC
LIMIT 10000
