-- Which operations take longer than they did, as wholes and by cell, in live traffic? By their mean, which costs little: a sieve.
-- to: end, DateTime('UTC') text, a whole minute. late: minutes before it that count as now. before: minutes before those. requests: least
-- number of requests now. ratio: by how much longer. limit: series at most. Row: one series.
SELECT service, operation, channel, site, region, any(named) AS said, sumIf(requests, is_late) AS late_requests
FROM
(
  SELECT service, operation, channel, site, region, system AS named, requests, duration_ns_sum,
    bucket >= toDateTime({to:String}, 'UTC') - {late:UInt32} * 60 AS is_late
  FROM requests_1m
  WHERE bucket >= toDateTime({to:String}, 'UTC') - ({late:UInt32} + {before:UInt32}) * 60 AND bucket < toDateTime({to:String}, 'UTC')
    AND traffic = 'live' AND outcome = 'ok'
)
GROUP BY GROUPING SETS ((service, operation), (service, operation, channel, site, region))
HAVING late_requests >= {requests:UInt32} AND sumIf(requests, NOT is_late) >= {requests:UInt32}
  AND sumIf(duration_ns_sum, is_late) / late_requests > {ratio:Float64} * sumIf(duration_ns_sum, NOT is_late) / sumIf(requests, NOT is_late)
ORDER BY late_requests DESC, service, operation, channel, site, region
LIMIT {limit:UInt32}
