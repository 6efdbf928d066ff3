-- In which 10 s of a minute did a version take its first request?
-- services, versions, minutes (s since epoch, as text): arrays of one length. Row: service, version, minute, first: s since epoch.
-- The key (service, bucket) reads those minutes alone.
SELECT service, version, toUnixTimestamp(toStartOfMinute(bucket)) AS minute, toUnixTimestamp(min(bucket)) AS first
FROM requests_10s
WHERE traffic = 'live' AND service IN (SELECT arrayJoin({services:Array(String)}))
  AND toStartOfMinute(bucket) IN (SELECT toDateTime(arrayJoin({minutes:Array(UInt32)}), 'UTC'))
  AND bucket >= (SELECT toDateTime(arrayMin({minutes:Array(UInt32)}), 'UTC'))
  AND (service, version, toUnixTimestamp(toStartOfMinute(bucket))) IN
    (SELECT arrayJoin(arrayZip({services:Array(String)}, {versions:Array(String)}, {minutes:Array(UInt32)})))
GROUP BY service, version, minute
