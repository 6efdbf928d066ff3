-- How long did operations take, as wholes and by cell: each of the newest minutes, and all those before together?
-- to, late, before: as in lately-slow.sql. services, operations: of those that are asked for, pair by pair. Row: one series; p95 in ns, of
-- the minutes with requests enough.
SELECT service, operation, channel, site, region,
  groupArrayIf(p95, is_late AND asked >= {requests:UInt32}) AS late_p95, anyIf(p95, NOT is_late) AS usual_p95
FROM
(
  SELECT service, operation, channel, site, region, is_late, if(is_late, bucket, toDateTime(0, 'UTC')) AS stretch, sum(requests) AS asked,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency)[2] AS p95
  FROM
  (
    SELECT service, operation, channel, site, region, bucket, requests, latency,
      bucket >= toDateTime({to:String}, 'UTC') - {late:UInt32} * 60 AS is_late
    FROM requests_1m
    WHERE bucket >= toDateTime({to:String}, 'UTC') - ({late:UInt32} + {before:UInt32}) * 60 AND bucket < toDateTime({to:String}, 'UTC')
      AND traffic = 'live' AND outcome = 'ok' AND service IN {services:Array(String)}
      AND (service, operation) IN (SELECT arrayJoin(arrayZip({services:Array(String)}, {operations:Array(String)})) AS pair)
  )
  GROUP BY GROUPING SETS ((service, operation, is_late, stretch), (service, operation, channel, site, region, is_late, stretch))
)
GROUP BY service, operation, channel, site, region
