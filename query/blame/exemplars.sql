-- Traces of some entries to look at: newest failing ones and newest healthy ones, with their paths.
-- from, to: DateTime64(3, 'UTC'). entries: service 1F operation 1F code each. services: of these entries. limit: traces of each side at most.
-- Row: trace (hexadecimal), whether it failed, path as in trace_paths_1m. Spans are kept for fewer days than counts.
SELECT lower(hex(trace_id)) AS trace, max(f.is_bad) AS failed,
  concat('\x1E', arrayStringConcat(arraySort(groupUniqArray(concat(service, '\x1F', version))), '\x1E'), '\x1E') AS path
FROM spans AS s
INNER JOIN
(
  SELECT trace_id, outcome IN ('business_error', 'shed', 'system_error') AS is_bad, max(ts) AS began
  FROM spans
  WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND service IN (SELECT arrayJoin({services:Array(String)}))
    AND kind IN (2, 5) AND traffic = 'live'
    AND has({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code)))
  GROUP BY trace_id, is_bad
  ORDER BY began DESC, trace_id
  LIMIT {limit:UInt32} BY is_bad
) AS f ON f.trace_id = s.trace_id
WHERE s.ts >= {from:DateTime64(3, 'UTC')} - INTERVAL 5 SECOND AND s.ts < {to:DateTime64(3, 'UTC')} + INTERVAL 15 SECOND
GROUP BY trace_id
ORDER BY max(f.began) DESC, trace
LIMIT 2000
