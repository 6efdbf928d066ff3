-- How did services answer before releases of theirs, and after?
-- names: the services, each once. services, readies: of each release its service and the minute it was ready, s since epoch. length: seconds on each side. from, to: DateTime('UTC'), the minutes that all of them lie in. Row: place of the release, from 1; requests and bad ones (system errors, business
-- errors, shed) before and after, thousandths. Live traffic of every version: what customers saw.
-- The key (service, bucket) finds the hours around releases, in granules of 64 rows: hours without a release nearby are not read, the
-- others once; counts only, no latency. Minutes meet releases by service and hour, a small table, and are told apart by their time.
SELECT place, sumIf(requests, at < ready) AS before_requests, sumIf(failed, at < ready) AS before_bad,
  sumIf(requests, at >= ready) AS after_requests, sumIf(failed, at >= ready) AS after_bad
FROM
(
  SELECT indexOf({names:Array(String)}, service) * 4294967296 + toUnixTimestamp(toStartOfHour(bucket)) AS slot, toUnixTimestamp(bucket) AS at, weighted AS requests,
    if(outcome IN ('system_error', 'business_error', 'shed'), weighted, 0) AS failed
  FROM service_requests_1m
  PREWHERE (service, toStartOfHour(bucket)) IN (
      SELECT tupleElement(one, 1), toDateTime(arrayJoin(range(toUInt32(intDiv(toUInt32(tupleElement(one, 2) - {length:UInt32}), 3600) * 3600), toUInt32(tupleElement(one, 2) + {length:UInt32}), 3600)), 'UTC')
      FROM (SELECT arrayJoin(arrayZip({services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one))
    AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  WHERE traffic = 'live'
) AS minutes
INNER JOIN
(
  SELECT tupleElement(one, 1) AS place, tupleElement(one, 3) AS ready,
    indexOf({names:Array(String)}, tupleElement(one, 2)) * 4294967296 + arrayJoin(range(toUInt32(intDiv(toUInt32(ready - {length:UInt32}), 3600) * 3600), toUInt32(ready + {length:UInt32}), 3600)) AS slot
  FROM (SELECT arrayJoin(arrayZip(arrayEnumerate({services:Array(String)}), {services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one)
) AS around USING (slot)
WHERE at >= ready - {length:UInt32} AND at < ready + {length:UInt32}
GROUP BY place
ORDER BY place
