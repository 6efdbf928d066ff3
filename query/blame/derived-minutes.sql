-- Which minutes of traces are derived? from, to: DateTime('UTC'). Row: minutes since 1970, oldest first.
SELECT DISTINCT intDiv(toUnixTimestamp(bucket), 60) AS minute
FROM derivations
WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
ORDER BY minute
