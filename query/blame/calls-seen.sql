-- Who calls whom? from, to: DateTime('UTC'), minute edges. Row: caller, callee. Live traffic, 20,000 at most.
SELECT toString(caller) AS caller_, toString(callee) AS callee_
FROM service_edges_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND callee != ''
  AND (bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'service_edges_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    GROUP BY bucket)
GROUP BY caller_, callee_
ORDER BY caller_, callee_
LIMIT 20000
