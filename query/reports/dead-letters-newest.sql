-- What was set aside last?
-- Row: instant (ms since epoch), origin, reason, detail, bytes; newest ten. Reads backwards along the sorting key.
SELECT toUnixTimestamp64Milli(at) AS happened, origin, reason, detail, size
FROM dead_letters
ORDER BY at DESC
LIMIT 10
