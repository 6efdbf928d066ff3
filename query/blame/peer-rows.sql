-- Whom did some services call that is not instrumented, and how did that go?
-- from, to: DateTime('UTC'), minute edges. KEPT_MINUTES stands for kept-minutes.sql. callers: exactly. limit: rows at most, most calls first.
-- Row: minute since 1970, who and whom, kind of the far side (empty when its spans do not say), calls, failed ones; median and 95th
-- percentile of their time, ns. Minutes are known half a minute after their end.
SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(caller) AS caller_, toString(caller_version) AS version, toString(peer) AS peer_,
  toString(max(peer_kind)) AS kind, sum(weighted) / 1000 AS calls, sum(bad) / 1000 AS failed,
  quantilesBFloat16Merge(0.5, 0.95, 0.99)(caller_latency) AS took
FROM service_edges_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND peer != '' AND has({callers:Array(String)}, caller)
  AND KEPT_MINUTES
GROUP BY minute, caller_, version, peer_
ORDER BY calls DESC, minute, caller_, version, peer_
LIMIT {limit:UInt32}
