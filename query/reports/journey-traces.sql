-- What do these traces look like, and who failed in them?
-- traces: ids in hexadecimal. from, to: DateTime64(3, 'UTC') within which their spans start.
-- Row: a trace; how many spans; of at most 2,001 of them id, parent, kind and what they say (0 unset internal or the like, 1 served,
-- 2 failed, 3 failed by its return code), and of at most 2,001 failed ones who and where, with the end in ns since epoch and the
-- name of the far side of a call. Ids in hexadecimal. The bloom filter on trace_id skips most granules of the time.
SELECT lower(hex(trace_id)) AS trace, count() AS spans,
  groupArray(2001)(tuple(lower(hex(span_id)), lower(hex(parent_id)), kind,
    multiIf(is_bad AND return_code != '', 3, is_bad, 2, kind < 2 AND status = 0, 0, 1))) AS shape,
  groupArrayIf(2001)(tuple(lower(hex(span_id)), toString(service), toString(version), toString(operation), toString(system),
    if(kind IN (3, 4), substring(far, 1, 256), ''), toUnixTimestamp64Nano(ts) + duration_ns), is_bad) AS failed
FROM
(
  SELECT *, outcome IN ('business_error', 'shed', 'system_error') AS is_bad,
    multiIf(has(attr_k, 'peer.service'), attr_v[indexOf(attr_k, 'peer.service')],
      peer != '', toString(peer),
      has(attr_k, 'messaging.destination.name'), attr_v[indexOf(attr_k, 'messaging.destination.name')],
      has(attr_k, 'db.system.name'), attr_v[indexOf(attr_k, 'db.system.name')],
      has(attr_k, 'db.system'), attr_v[indexOf(attr_k, 'db.system')],
      '') AS far
  FROM spans
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
    AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
) AS of_traces
GROUP BY trace_id
LIMIT 1000
