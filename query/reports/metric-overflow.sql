-- Which metrics have more series than the bound, and how many of their points were folded since?
-- from: DateTime('UTC'). Row: metric, points under its overflow series; most first.
-- Overflow series are few; the samples' sorting key (metric, series, ts) makes each a look-up.
WITH over AS (SELECT DISTINCT metric, series FROM series WHERE is_overflow AND seen_at >= {from:DateTime('UTC')} - INTERVAL 25 HOUR)
SELECT metric, sum(points) AS points
FROM (
  SELECT metric, count() AS points FROM samples_int WHERE (metric, series) IN over AND ts >= {from:DateTime('UTC')} GROUP BY metric
  UNION ALL
  SELECT metric, count() AS points FROM samples_float WHERE (metric, series) IN over AND ts >= {from:DateTime('UTC')} GROUP BY metric
  UNION ALL
  SELECT metric, count() AS points FROM histograms WHERE (metric, series) IN over AND ts >= {from:DateTime('UTC')} GROUP BY metric
  UNION ALL
  SELECT metric, count() AS points FROM exp_histograms WHERE (metric, series) IN over AND ts >= {from:DateTime('UTC')} GROUP BY metric
  UNION ALL
  SELECT metric, count() AS points FROM summaries WHERE (metric, series) IN over AND ts >= {from:DateTime('UTC')} GROUP BY metric
  UNION ALL
  SELECT metric, 0 AS points FROM over
)
GROUP BY metric
ORDER BY points DESC, metric
LIMIT 1000
