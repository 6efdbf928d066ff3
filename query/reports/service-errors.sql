-- Which errors does one service show, and since when?
-- service, traffic: exactly. from, to: DateTime('UTC'), minute edges. limit: signatures at most, most frequent first.
-- Row: signature (16 hexadecimal digits), its texts, an example trace; by version what the range holds and when the
-- signature was first seen at all, ms since epoch.
-- The key (service, bucket) reads that service alone; the days before the range are read for «first seen».
SELECT lower(hex(signature)) AS id, any(type) AS type, any(message) AS message, any(frame) AS frame,
  sum(found) AS occurrences, max(last_ms) AS last_seen, lower(hex(argMax(trace, last_ms))) AS example,
  groupArray(100)(version) AS versions, groupArray(100)(found) AS by_version, groupArray(100)(first_ms) AS first_seen
FROM
(
  SELECT signature, version, min(e.type) AS type, min(e.message) AS message, min(e.frame) AS frame,
    sumIf(e.occurrences, in_range) AS found, toUnixTimestamp64Milli(min(e.first_at)) AS first_ms,
    maxIf(toUnixTimestamp64Milli(e.last_at), in_range) AS last_ms, argMaxIf(e.example_trace, e.last_at, in_range) AS trace
  FROM (
    SELECT *, bucket >= {from:DateTime('UTC')} AS in_range
    FROM error_signatures
    WHERE service = {service:String} AND traffic = {traffic:String} AND bucket < {to:DateTime('UTC')}
  ) AS e
  GROUP BY signature, version
)
GROUP BY signature
HAVING occurrences > 0
ORDER BY occurrences DESC, id
LIMIT {limit:UInt32}
