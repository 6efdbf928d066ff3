-- When did each version of each service take live requests, in stretches without a pause?
-- from, to: DateTime('UTC'), whole minutes. pause: seconds without a request that end a stretch.
-- Row: service, version, system; stretches of [begin of the first minute, end of the last 10 s with a request, requests], s since epoch.
-- A partition a day, sorted by service and minute; the states of latency are not read.
SELECT service, version, argMax(said, asked) AS system,
  arraySort(groupArray((toUnixTimestamp(minute), toUnixTimestamp(ends), asked / 1000))) AS minutes,
  arraySplit((one, before) -> one.1 > before.2 + {pause:UInt32}, minutes, arrayPushFront(arrayPopBack(minutes), minutes[1])) AS runs,
  arrayMap(run -> (run[1].1, arrayMax(arrayMap(one -> one.2, run)), arraySum(arrayMap(one -> one.3, run))), runs) AS stretches
FROM (
  SELECT service, version, any(system) AS said, bucket AS minute, max(last_at) AS ends, sum(weighted) AS asked
  FROM service_requests_1m
  WHERE traffic = 'live' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  GROUP BY service, version, bucket
)
GROUP BY service, version
ORDER BY service, version
LIMIT 50000
