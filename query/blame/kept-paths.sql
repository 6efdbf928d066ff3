-- Part of other questions: rows of trace_paths_1m that count, from minute from to before minute to (DateTime('UTC')); live traffic.
SELECT *
FROM trace_paths_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
  AND (bucket, derivation) IN (
    SELECT bucket, max(derivation) FROM derivations
    WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    GROUP BY bucket)
