-- How many spans lie ahead of now?
-- Row: spans that start more than five minutes from now. Partitions are days: at most two are looked at, by their ranges of ts.
SELECT count() AS spans FROM spans WHERE ts > now64(9) + INTERVAL 5 MINUTE
