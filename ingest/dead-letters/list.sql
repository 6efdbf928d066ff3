-- Which letters were set aside, newest first, and what became of their replays?
-- reason: '' for all; since: ms since epoch; limit: rows.
-- Row: name (decimal), instant (ms), origin, reason, detail, format, bytes, whether the bytes are kept, and of the newest
-- replay its instant (ms; 0 without one), result and detail. Reads backwards along the sorting key `at`; no payload.
SELECT toString(letters.id) AS letter_id, toUnixTimestamp64Milli(letters.at) AS happened, letters.origin AS origin,
  letters.reason AS reason, letters.detail AS detail, letters.format AS format, letters.size AS size, letters.is_kept AS is_kept,
  replays.replayed AS replayed, replays.replay_result AS replay_result, replays.replay_detail AS replay_detail
FROM (
  SELECT id, at, origin, reason, detail, format, size, size = 0 OR notEmpty(payload) AS is_kept
  FROM dead_letters
  WHERE at >= fromUnixTimestamp64Milli({since:Int64}) AND ({reason:String} = '' OR reason = {reason:String})
  ORDER BY at DESC
  LIMIT {limit:UInt32}
) AS letters
LEFT JOIN (
  SELECT id, toUnixTimestamp64Milli(max(at)) AS replayed, argMax(result, (at, result != 'begun')) AS replay_result,
    argMax(detail, (at, result != 'begun')) AS replay_detail
  FROM dead_letter_replays
  GROUP BY id
) AS replays ON replays.id = letters.id
ORDER BY happened DESC, letter_id
