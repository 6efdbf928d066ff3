-- Who called whom in a range, and how did it go on both sides?
-- from, to: DateTime('UTC'), minute edges. traffic: exactly. limit: edges at most. Row: caller, callee (empty for a peer), peer; calls, failed calls
-- on either side in thousandths; p95 on either side in ns, not a number without answers.
-- Sorted by minute; only the rows of each minute's latest derivation count.
SELECT caller, callee, peer, sum(weighted) AS calls, sum(bad) AS failed, sum(callee_bad) AS callee_failed,
  quantilesBFloat16Merge(0.5, 0.95, 0.99)(caller_latency)[2] AS caller_p95,
  quantilesBFloat16Merge(0.5, 0.95, 0.99)(callee_latency)[2] AS callee_p95
FROM service_edges_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = {traffic:String}
  AND (bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'service_edges_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    GROUP BY bucket)
GROUP BY caller, callee, peer
ORDER BY calls DESC, caller, callee, peer
LIMIT {limit:UInt32}
