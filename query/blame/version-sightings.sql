-- Which versions served when, and how much?
-- from, to: DateTime('UTC'), minute edges. Row: service, version, environment; first and last minute with requests, s since
-- epoch; requests in thousandths. Live traffic alone.
-- A version of a service in an environment is seen in spans, where they are kept, by the 10 s.
SELECT service, version, environment, toUnixTimestamp(min(at)) AS first_at, toUnixTimestamp(max(at)) AS last_at,
  toString(any(system)) AS system, sum(weight) AS weighted
FROM
(
  SELECT toString(service) AS service, toString(version) AS version, toString(environment) AS environment, system, weight,
    toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND) AS at
  FROM spans
  WHERE ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')} AND kind IN (2, 5) AND traffic = 'live'
)
GROUP BY service, version, environment
ORDER BY service, environment, version
LIMIT {limit:UInt32}
