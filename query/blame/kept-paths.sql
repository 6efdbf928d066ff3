-- Part of other questions: rows of trace_paths_1m that count, from minute from to before minute to (DateTime('UTC')); live traffic.
-- KEPT_MINUTES stands for kept-minutes.sql.
SELECT *
FROM trace_paths_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND KEPT_MINUTES
