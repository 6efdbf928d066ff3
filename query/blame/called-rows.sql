-- Who called a service, and how did that go as the caller saw it? from, to: DateTime('UTC'), minute edges. service: exactly. A call that nobody
-- answered knows the name of the far side alone: the service's, or a host of that name.
-- Row: minute since 1970, caller, calls, failed ones. Live traffic; minutes are known half a minute after their end.
SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(caller) AS caller_, sum(weighted) / 1000 AS calls, sum(bad) / 1000 AS failed
FROM service_edges_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND {service:String} != ''
  AND (callee = {service:String} OR (callee = '' AND (peer = {service:String} OR startsWith(peer, concat({service:String}, '.')) OR startsWith(peer, concat({service:String}, ':')))))
  AND (bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'service_edges_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    GROUP BY bucket)
GROUP BY minute, caller_
ORDER BY minute, caller_
LIMIT 100000
