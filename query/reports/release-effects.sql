-- How did services answer before releases of theirs, and after?
-- services, readies: of each release its service and the minute it was ready, s since epoch. length: seconds on each side. from, to: DateTime('UTC'), the minutes that all of them lie in. Row: place of the release, from 1; requests and bad ones (system errors, business
-- errors, shed) before and after, thousandths. Live traffic of every version: what customers saw.
-- The key (service, bucket) reads these services alone, in this range; counts only, no latency. Rows are joined as they are, merged or
-- not: what is added up in the end need not be added up before.
SELECT place, sumIf(requests, bucket < ready) AS before_requests, sumIf(failed, bucket < ready) AS before_bad,
  sumIf(requests, bucket >= ready) AS after_requests, sumIf(failed, bucket >= ready) AS after_bad
FROM
(
  SELECT service, bucket, weighted AS requests, if(outcome IN ('system_error', 'business_error', 'shed'), weighted, 0) AS failed
  FROM service_requests_1m
  WHERE service IN ({services:Array(String)}) AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
) AS minutes
INNER JOIN
(
  SELECT tupleElement(one, 1) AS place, tupleElement(one, 2) AS service, toDateTime(tupleElement(one, 3), 'UTC') AS ready,
    toDateTime(arrayJoin(range(toUInt32(tupleElement(one, 3) - {length:UInt32}), toUInt32(tupleElement(one, 3) + {length:UInt32}), 60)), 'UTC') AS bucket
  FROM (SELECT arrayJoin(arrayZip(arrayEnumerate({services:Array(String)}), {services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one)
) AS around USING (service, bucket)
GROUP BY place
ORDER BY place
