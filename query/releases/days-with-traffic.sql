-- On which days was there a request of any service?
-- Row: day, s since epoch. Days are the partitions, so that their bounds alone are read.
SELECT toUnixTimestamp(toDateTime(toDate(bucket), 'UTC')) AS day
FROM service_requests_1m
GROUP BY day
ORDER BY day
LIMIT 1000
