-- Did spans come in lately that began before a time? since: ms since epoch, batches that came in after it. before: ms since epoch.
-- Row: earliest start of them (ms since epoch, 0 without), when the newest batch of all came in (0 without).
SELECT toUnixTimestamp64Milli(toDateTime64(minIf(oldest_at, oldest_at < fromUnixTimestamp64Milli({before:Int64}, 'UTC')), 3, 'UTC')) AS oldest,
  toUnixTimestamp64Milli(max(at)) AS seen
FROM batches
WHERE at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
