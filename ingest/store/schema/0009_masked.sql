-- How many numbers were masked in a span, and in a batch: names the services that send what they should not.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS masked UInt16 COMMENT 'values of the span in which a sensitive number was masked' CODEC(ZSTD(1));

ALTER TABLE batches ADD COLUMN IF NOT EXISTS masked UInt64 COMMENT 'values masked in this block';

DROP VIEW IF EXISTS batches_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS batches_mv TO batches AS
SELECT now64(3, 'UTC') AS at, batch, count() AS rows, min(ts) AS oldest_at, max(ts) AS newest_at, sum(masked) AS masked
FROM spans
GROUP BY batch;
