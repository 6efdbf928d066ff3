-- When did this trace begin?
-- trace: the id as 32 hexadecimal digits. Row: started (s since epoch), one per root span; none without a root.
-- trace_roots is sorted by the hash: a look-up.
SELECT DISTINCT toUnixTimestamp(started_at) AS started
FROM trace_roots
WHERE trace_hash = reinterpretAsUInt64(substring(unhex({trace:String}), 1, 8))
LIMIT 10
