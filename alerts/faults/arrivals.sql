-- Does live traffic arrive at all?
-- to: end, DateTime('UTC') text, a whole minute. Row: live requests in the three minutes before it.
SELECT sum(requests) AS requests
FROM requests_1m
WHERE bucket >= toDateTime({to:String}, 'UTC') - 180 AND bucket < toDateTime({to:String}, 'UTC') AND traffic = 'live'
