-- Which minutes of traces are derived? from, to: DateTime('UTC'). Row: minutes since 1970, oldest first; those of the day before `from` are all
-- told as the minute before it.
SELECT DISTINCT intDiv(greatest(toUnixTimestamp(bucket), toUnixTimestamp({from:DateTime('UTC')}) - 60), 60) AS minute
FROM derivations
WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} - INTERVAL 1 DAY AND bucket < {to:DateTime('UTC')}
ORDER BY minute
