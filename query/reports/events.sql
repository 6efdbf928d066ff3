-- Which named events happened in a range, newest first?
-- from, to: DateTime64(3, 'UTC'). service, kind, name: '' for all. limit: rows at most.
-- Row: one event; start in ns since epoch, ids in hexadecimal, attributes as two arrays. The key (service, ts) and day
-- partitions narrow; events are few.
SELECT toUnixTimestamp64Nano(ts) AS at_ns, name, toString(kind) AS kind, severity, body, service, version, system, environment,
  site, zone, cluster, namespace, node, pod, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, attr_k, attr_v
FROM events
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
  AND ({service:String} = '' OR service = {service:String})
  AND ({kind:String} = '' OR toString(kind) = {kind:String})
  AND ({name:String} = '' OR name = {name:String})
ORDER BY ts DESC, name
LIMIT {limit:UInt32}
