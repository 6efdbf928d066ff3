-- Which services took requests in a range, over all versions?
-- from, to: DateTime('UTC'), minute edges. traffic: exactly. limit: services at most. Row: service; requests and failed ones, in thousandths.
SELECT service, sum(weighted) AS requests, sumIf(weighted, outcome IN ('business_error', 'shed', 'system_error')) AS failed
FROM service_requests_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = {traffic:String}
GROUP BY service
ORDER BY requests DESC, service
LIMIT {limit:UInt32}
