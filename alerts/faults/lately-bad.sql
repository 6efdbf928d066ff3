-- Which operations fail now, as wholes and by cell, in live traffic?
-- now: end, DateTime('UTC') text, a whole 10 s. near, far: seconds before it. bad, buckets: least bad requests and 10 s with one, within
-- `far`. services: only these; empty: all. limit: series at most, those with most bad ones. Row: one series with its counts; a series
-- without a cell is the operation as a whole.
SELECT service, operation, channel, site, region, any(said) AS system,
  sumIf(asked, is_near) AS near_requests, sumIf(failed, is_near) AS near_bad, uniqExactIf(bucket, is_near AND failed > 0) AS near_buckets,
  sum(asked) AS far_requests, sum(failed) AS far_bad, uniqExactIf(bucket, failed > 0) AS far_buckets
FROM
(
  SELECT service, operation, channel, site, region, bucket, any(system) AS said, sum(requests) AS asked,
    sumIf(requests, outcome IN ('system_error', 'business_error', 'shed')) AS failed,
    bucket >= toDateTime({now:String}, 'UTC') - {near:UInt32} AS is_near
  FROM requests_10s
  WHERE bucket >= toDateTime({now:String}, 'UTC') - {far:UInt32} AND bucket < toDateTime({now:String}, 'UTC') AND traffic = 'live'
    AND (empty({services:Array(String)}) OR service IN {services:Array(String)})
  GROUP BY service, operation, channel, site, region, bucket
)
GROUP BY GROUPING SETS ((service, operation), (service, operation, channel, site, region))
HAVING far_bad >= {bad:UInt32} AND far_buckets >= {buckets:UInt32}
ORDER BY far_bad DESC, far_requests DESC, service, operation, channel, site, region
LIMIT {limit:UInt32}
