-- How many rows of minutes make one hour?
-- from: s since epoch, start of the hour. Row: rows. Reads the time column of the hour's granules.
SELECT count() AS rows
FROM requests_1m
WHERE bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({from:UInt32}, 'UTC') + INTERVAL 1 HOUR
