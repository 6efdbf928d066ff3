-- How much did operations fail before, as wholes and by cell, minute by minute?
-- from, to: DateTime('UTC') texts, whole minutes. services, operations: of those that are asked for, pair by pair. Row: one series with
-- requests and bad ones of its minutes, in one order.
SELECT service, operation, channel, site, region, groupArray(asked) AS minute_requests, groupArray(failed) AS minute_bad
FROM
(
  SELECT service, operation, channel, site, region, bucket, sum(requests) AS asked,
    sumIf(requests, outcome IN ('system_error', 'business_error', 'shed')) AS failed
  FROM requests_1m
  WHERE bucket >= toDateTime({from:String}, 'UTC') AND bucket < toDateTime({to:String}, 'UTC') AND traffic = 'live'
    AND service IN {services:Array(String)}
    AND (service, operation) IN (SELECT arrayJoin(arrayZip({services:Array(String)}, {operations:Array(String)})) AS pair)
  GROUP BY GROUPING SETS ((service, operation, bucket), (service, operation, channel, site, region, bucket))
)
GROUP BY service, operation, channel, site, region
