-- How much was set aside?
-- Row: rows in all, rows of the last hour. Counts by the sorting key `at`.
SELECT count() AS total, countIf(at >= now64(3) - INTERVAL 1 HOUR) AS last_hour
FROM dead_letters
