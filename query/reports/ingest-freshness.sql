-- How fast do spans come, and how fresh is the newest?
-- Row: rows stored in the last minute; newest span start, ms since epoch, 0 when none came in a day; now, ms.
-- `batches` holds one row per insert: a look at its newest day.
SELECT sumIf(rows, at >= now64(3) - INTERVAL 60 SECOND) AS minute_rows,
  toUnixTimestamp64Milli(toDateTime64(maxIf(least(newest_at, now64(9)), newest_at <= now64(9) + INTERVAL 5 MINUTE), 3)) AS newest
FROM batches
WHERE at >= now64(3) - INTERVAL 1 DAY
