-- When did versions of some services take live requests in each environment, in stretches without a pause?
-- services: exactly. from, to: DateTime('UTC'). pause: seconds. Row: as in version-sightings.sql, with environment.
-- Spans of those services alone: asked for services only of which one version runs in several environments.
SELECT service, version, environment, argMax(said, asked) AS system,
  arraySort(groupArray((toUnixTimestamp(began), toUnixTimestamp(ends), asked / 1000))) AS minutes,
  arraySplit((one, before) -> one.1 > before.2 + {pause:UInt32}, minutes, arrayPushFront(arrayPopBack(minutes), minutes[1])) AS runs,
  arrayMap(run -> (run[1].1, arrayMax(arrayMap(one -> one.2, run)), arraySum(arrayMap(one -> one.3, run))), runs) AS stretches
FROM (
  SELECT service, version, environment, any(system) AS said, toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    toStartOfInterval(toDateTime(min(ts), 'UTC'), INTERVAL 10 SECOND) AS began, toDateTime(max(ts), 'UTC') + 1 AS ends, sum(weight) AS asked
  FROM spans
  WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND kind IN (2, 5) AND traffic = 'live'
    AND ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')}
  GROUP BY service, version, environment, minute
)
GROUP BY service, version, environment
ORDER BY service, version, environment
LIMIT 50000
