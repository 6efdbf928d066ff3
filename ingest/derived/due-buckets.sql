-- Which minutes or hours are to be derived, or derived again, newest first?
-- name: the derived table. step: seconds of a bucket. since: DateTime64(3, 'UTC'), batches from here on are looked at.
-- now, delay, settle, again: seconds. A bucket is due when `delay` has passed since its end, a batch brought spans of it
-- later than `settle` before its derivation (rows are seen a little after their `at`), and either none came for `settle`
-- or `again` has passed since its derivation, or since its first batch.
-- Row: bucket (s since epoch), spans of the batches that touch it. `batches` is small: a row an insert.
SELECT toUnixTimestamp(bucket) AS at, touching
FROM
(
  SELECT bucket, sum(rows) AS touching, max(toUnixTimestamp64Milli(touched.at)) / 1000 AS last_touch,
    min(toUnixTimestamp64Milli(touched.at)) / 1000 AS first_touch
  FROM (
    SELECT rows, at, arrayJoin(arrayDistinct(arrayMap(minute -> toStartOfInterval(minute, toIntervalSecond({step:UInt32})), minutes))) AS bucket
    FROM batches
    WHERE at >= {since:DateTime64(3, 'UTC')}
  ) AS touched
  GROUP BY bucket
) AS t
LEFT JOIN
(
  SELECT bucket, max(derivation) / 1000 AS derived_at FROM derivations WHERE name = {name:String} GROUP BY bucket
) AS d USING (bucket)
WHERE toUnixTimestamp(bucket) + {step:UInt32} + {delay:UInt32} <= {now:Float64}
  AND last_touch + {settle:UInt32} > derived_at
  AND (last_touch + {settle:UInt32} <= {now:Float64} OR greatest(first_touch, derived_at) + {again:UInt32} <= {now:Float64})
ORDER BY bucket DESC
LIMIT {limit:UInt32}
