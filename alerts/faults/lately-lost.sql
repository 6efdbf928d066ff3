-- Of which operations do requests stay away, in live traffic? A sieve: against the half hour before.
-- to: end, DateTime('UTC') text, a whole minute. limit: operations at most. Row: one operation.
SELECT service, operation, '' AS channel, '' AS site, '' AS region, any(system) AS said,
  sumIf(requests, bucket < toDateTime({to:String}, 'UTC') - 180) AS before, sum(requests) - before AS now
FROM requests_1m
WHERE bucket >= toDateTime({to:String}, 'UTC') - 1980 AND bucket < toDateTime({to:String}, 'UTC') AND traffic = 'live'
GROUP BY service, operation
HAVING before / 10 >= 30 AND now < before / 20
ORDER BY before DESC, service, operation
LIMIT {limit:UInt32}
