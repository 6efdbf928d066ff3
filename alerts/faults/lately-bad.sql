-- Which operations fail now, as wholes and by cell, in live traffic? A sieve, and how those that rang stand.
-- now: end, DateTime('UTC') text, a whole 10 s. reach: seconds before it. bad: least bad requests. services: only these; empty: all.
-- limit: series at most, those with most bad ones. Row: one series with its counts; one without a cell is the operation as a whole.
SELECT service, operation, channel, site, region, any(system) AS said, sum(requests) AS asked,
  sumIf(requests, outcome IN ('system_error', 'business_error', 'shed')) AS failed
FROM requests_10s
WHERE bucket >= toDateTime({now:String}, 'UTC') - {reach:UInt32} AND bucket < toDateTime({now:String}, 'UTC') AND traffic = 'live'
  AND (empty({services:Array(String)}) OR service IN {services:Array(String)})
GROUP BY GROUPING SETS ((service, operation), (service, operation, channel, site, region))
HAVING failed >= {bad:UInt32}
ORDER BY failed DESC, asked DESC, service, operation, channel, site, region
LIMIT {limit:UInt32}
