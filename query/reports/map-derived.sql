-- Up to when are calls known? Row: end of the newest derived minute in the range, s since epoch, 0 for none; how many minutes are.
SELECT if(count() = 0, 0, toUnixTimestamp(max(bucket)) + 60) AS until, uniqExact(bucket) AS minutes
FROM derivations
WHERE name = 'service_edges_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
