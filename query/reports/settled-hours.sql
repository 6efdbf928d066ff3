-- Which hours of services as wholes hold what their minutes hold?
-- from, to: DateTime('UTC'), hour edges. Row: hour (s since epoch), its latest derivation.
-- Rows are only ever added to a minute, so the same sums are the same requests. Reads the numbers, not the states.
SELECT toUnixTimestamp(hour) AS hour, derivation
FROM
(
  SELECT bucket AS hour, derivation, sum(requests) AS requests, sum(weighted) AS weighted
  FROM service_requests_1h
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    AND (bucket, derivation) IN (SELECT bucket, max(derivation) FROM derivations
      WHERE name = 'requests_1h' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} GROUP BY bucket)
  GROUP BY bucket, derivation
) AS by_hour
INNER JOIN
(
  SELECT toStartOfHour(bucket) AS hour, sum(requests) AS requests, sum(weighted) AS weighted
  FROM service_requests_1m
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
  GROUP BY hour
) AS by_minute USING (hour, requests, weighted)
LIMIT 10000
