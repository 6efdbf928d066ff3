-- Spans that lay ahead of our clock when they came: the sender's clock is wrong, or ours. They are kept where they say.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS is_ahead Bool COMMENT 'started more than 5 minutes after it came, by our clock';

-- What is newest tells how far ingest lags: not by a clock that is wrong.
DROP VIEW IF EXISTS batches_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS batches_mv TO batches AS
SELECT now64(3, 'UTC') AS at, batch, count() AS rows, min(ts) AS oldest_at, maxIf(ts, NOT is_ahead) AS newest_at, sum(masked) AS masked,
  arraySort(groupUniqArray(1440)(toStartOfMinute(toDateTime(ts, 'UTC')))) AS minutes
FROM spans
GROUP BY batch;
