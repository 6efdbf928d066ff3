-- How did services answer before releases of theirs, and after?
-- names: the services, each once. services, readies: of each release its service and the minute it was ready, s since epoch. length: seconds on each side. from, to: DateTime('UTC'), the minutes that all of them lie in. Row: place of the release, from 1; requests and bad ones (system errors, business
-- errors, shed) before and after, thousandths. Live traffic of every version: what customers saw.
-- The key (service, bucket) reads these services alone, in this range; counts only, no latency. Rows are joined as they are, merged or
-- not: what is added up in the end need not be added up before.
SELECT place, sumIf(requests, at < ready) AS before_requests, sumIf(failed, at < ready) AS before_bad,
  sumIf(requests, at >= ready) AS after_requests, sumIf(failed, at >= ready) AS after_bad
FROM
(
  SELECT indexOf({names:Array(String)}, service) * 4294967296 + toUnixTimestamp(bucket) AS minute, toUnixTimestamp(bucket) AS at, weighted AS requests,
    if(outcome IN ('system_error', 'business_error', 'shed'), weighted, 0) AS failed
  FROM service_requests_1m
  WHERE service IN ({names:Array(String)}) AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
) AS minutes
INNER JOIN
(
  SELECT tupleElement(one, 1) AS place, tupleElement(one, 3) AS ready,
    indexOf({names:Array(String)}, tupleElement(one, 2)) * 4294967296 + arrayJoin(range(toUInt32(ready - {length:UInt32}), toUInt32(ready + {length:UInt32}), 60)) AS minute
  FROM (SELECT arrayJoin(arrayZip(arrayEnumerate({services:Array(String)}), {services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one)
) AS around USING (minute)
GROUP BY place
ORDER BY place
