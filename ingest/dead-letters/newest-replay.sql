-- What became of a letter's newest replay?
-- id: decimal. Row: instant (ms), result, detail; none when it was never replayed. Reads along the sorting key.
SELECT toUnixTimestamp64Milli(at) AS replayed, result, detail
FROM dead_letter_replays
WHERE id = toUInt64({id:String})
ORDER BY at DESC, result = 'begun'
LIMIT 1
