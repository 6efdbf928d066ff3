-- Which dead letters of these origins are kept already?
-- origins: places as they are written in dead_letters.origin. Row: origin, reason, MD5 of the payload in lower-case hex.
-- Reads a small table; asked by recoveries only.
SELECT DISTINCT origin, reason, lower(hex(MD5(payload))) AS digest
FROM dead_letters
WHERE origin IN (SELECT arrayJoin({origins:Array(String)}))
