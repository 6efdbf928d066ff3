-- Which minutes of traces are derived, and by which derivation? from, to: DateTime('UTC'), minute edges; a day before `from` is told as well.
-- One row: minutes since 1970, oldest first, and the number of the latest derivation of each.
SELECT arraySort(groupArray((minute, newest))) AS sorted, sorted.1 AS minutes, sorted.2 AS derivations
FROM
(
  SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, max(derivation) AS newest
  FROM derivations
  WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} - INTERVAL 1 DAY AND bucket < {to:DateTime('UTC')}
  GROUP BY bucket
) AS derived
