-- Did spans come in lately that began before a time?
-- since: ms since epoch; batches that came in after it. settled: ms since epoch.
-- Row: earliest start (ms since epoch, 0 without), when the newest batch came in, batches.
SELECT toUnixTimestamp64Milli(toDateTime64(minIf(oldest_at, oldest_at < fromUnixTimestamp64Milli({settled:Int64}, 'UTC')), 3, 'UTC')) AS oldest,
  toUnixTimestamp64Milli(max(at)) AS newest_at, count() AS batches
FROM batches
WHERE at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
