-- When did each version of one service begin to take requests?
-- from, to: DateTime('UTC'). Row: version, begin of its first minute in the range, ms since epoch.
-- The key (service, bucket) reads that service alone.
SELECT version, toUnixTimestamp(min(bucket)) * 1000 AS began
FROM service_requests_1m
WHERE service = {service:String} AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
GROUP BY version
ORDER BY began
LIMIT 1000
