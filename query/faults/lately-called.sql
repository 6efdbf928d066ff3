-- Who called whom lately, in live traffic?
-- since: DateTime('UTC'). Row: caller, callee. Derived minutes count by their latest derivation, but a pair that any of them has seen
-- is a pair.
SELECT DISTINCT caller, callee
FROM service_edges_1m
WHERE bucket >= toDateTime({since:String}, 'UTC') AND traffic IN ('live', '') AND callee != '' AND caller != callee
ORDER BY caller, callee
