-- Which minutes or hours are to be derived, or derived again, newest first?
-- name: the derived table. step: seconds of a bucket. since: DateTime64(3, 'UTC'), batches from here on are looked at.
-- now, delay, settle, again: seconds. A bucket is due when `delay` has passed since its end, a batch brought spans of it
-- later than `settle` before its derivation (rows are seen a little after their `at`), and either none came for `settle`
-- or `again` has passed since its derivation, or since its first batch. Where the clock was set back, a derivation that lies
-- ahead of now has not seen what came since, and is due; batches that lie ahead count as old until their time has come.
-- Row: bucket (s since epoch), spans of the batches that touch it, number of its latest derivation, 0 for none. `batches` is
-- small: a row an insert.
SELECT toUnixTimestamp(bucket) AS at, touching, last
FROM
(
  SELECT bucket, sum(rows) AS touching, max(touched_at) AS last_touch, min(touched_at) AS first_touch
  FROM (
    SELECT rows, toUnixTimestamp64Milli(at) / 1000 AS came_at,
      if(came_at > {now:Float64} + 5, toUnixTimestamp64Milli({since:DateTime64(3, 'UTC')}) / 1000, came_at) AS touched_at, arrayJoin(arrayDistinct(arrayMap(minute -> toStartOfInterval(minute, toIntervalSecond({step:UInt32})), minutes))) AS bucket
    FROM batches
    WHERE at >= {since:DateTime64(3, 'UTC')}
  ) AS touched
  GROUP BY bucket
) AS t
LEFT JOIN
(
  SELECT bucket, max(derivation) AS last, toUnixTimestamp64Milli(argMax(at, derivation)) / 1000 AS derived_at
  FROM derivations WHERE name = {name:String} GROUP BY bucket
) AS d USING (bucket)
WHERE toUnixTimestamp(bucket) + {step:UInt32} + {delay:UInt32} <= {now:Float64}
  AND (last_touch + {settle:UInt32} > derived_at OR derived_at > {now:Float64} + 5)
  AND (last_touch + {settle:UInt32} <= {now:Float64} OR greatest(first_touch, if(derived_at > {now:Float64} + 5, 0, derived_at)) + {again:UInt32} <= {now:Float64})
ORDER BY bucket DESC
LIMIT {limit:UInt32}
