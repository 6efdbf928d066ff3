-- Whom did some services call in a range, and who called them?
-- services: exactly. from, to: DateTime('UTC'), minute edges. traffic: exactly. Row: caller, callee (empty for a peer), peer; calls
-- and failed calls as the caller saw them, in thousandths.
-- Sorted by minute; only the rows of each minute's latest derivation count.
SELECT caller, callee, peer, sum(weighted) AS calls, sum(bad) AS failed
FROM service_edges_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = {traffic:String}
  AND (has({services:Array(String)}, caller) OR has({services:Array(String)}, callee))
  AND (bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'service_edges_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    GROUP BY bucket)
GROUP BY caller, callee, peer
ORDER BY calls DESC, caller, callee, peer
LIMIT 5000
