-- Which business transactions came in over a range, and how many were lost?
-- from, to: DateTime64(3, 'UTC'). traffic: exactly. everything: 1 for all systems, else services of own, and of
-- those that are not of others what names one of systems, or none.
-- first: 1 for the first page, else those after lost, requests, code. limit: rows at most, most lost first.
-- Row: code; requests and lost ones in thousandths, sampled ones for what they stand for; p95 in ns.
-- Entry spans only: requests without a parent. The day's parts are read, of most rows two small columns.
SELECT toString(txn_code) AS code, sum(weight) AS requests,
  sumIf(weight, outcome IN ('business_error', 'shed', 'system_error')) AS lost,
  quantileBFloat16Weighted(0.95)(toFloat32(duration_ns), weight) AS p95
FROM spans
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND txn_code != '' AND kind IN (2, 5)
  AND parent_id = toFixedString('', 8) AND traffic = {traffic:String}
  AND ({everything:UInt8} = 1 OR has({own:Array(String)}, service)
    OR (NOT has({others:Array(String)}, service) AND (system = '' OR has({systems:Array(String)}, system))))
GROUP BY code
HAVING {first:UInt8} = 1 OR lost < {lost:UInt64} OR (lost = {lost:UInt64}
  AND (requests < {requests:UInt64} OR (requests = {requests:UInt64} AND code > {code:String})))
ORDER BY lost DESC, requests DESC, code
LIMIT {limit:UInt32}
