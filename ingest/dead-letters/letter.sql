-- One letter with its bytes.
-- id: decimal. Row: origin, reason, detail, format, bytes, whether they are kept, the payload in base64.
-- Reads the name column of a small table, then one row.
SELECT toUnixTimestamp64Milli(at) AS happened, origin, reason, detail, format, size, size = 0 OR notEmpty(payload) AS is_kept,
  base64Encode(payload) AS payload
FROM dead_letters
WHERE id = toUInt64({id:String})
LIMIT 1
