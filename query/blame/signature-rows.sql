-- Which errors did some services record? from, to: DateTime('UTC'), minute edges. near_until, late_from: as in kept-minutes.sql. services: exactly. limit: rows at most, most first.
-- Row: minute since 1970, service, version, signature (16 hexadecimal digits), its texts, occurrences. Live traffic.
SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(service) AS service_, toString(version) AS version_, lower(hex(signature)) AS id,
  min(type) AS type_, min(message) AS message_, sum(occurrences) AS times
FROM error_signatures
WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
  AND (bucket < {near_until:DateTime('UTC')} OR bucket >= {late_from:DateTime('UTC')} OR toMinute(bucket) % 10 = 0)
GROUP BY minute, service_, version_, id
ORDER BY times DESC, minute, service_, version_, id
LIMIT {limit:UInt32}
