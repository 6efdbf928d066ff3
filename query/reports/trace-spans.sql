-- Which spans make up this trace?
-- trace: the id as 32 hexadecimal digits. from, to: DateTime('UTC') the spans start within.
-- Row: one span; ids in hexadecimal, start in ns since epoch, duration in ns, attributes as two arrays.
-- The bloom filter on trace_id skips all but a few granules of the parts in the range.
SELECT hex(span_id) AS span, hex(parent_id) AS parent, service, version, site, operation, kind,
  toUnixTimestamp64Nano(ts) AS start_ns, duration_ns, outcome, status, status_message, res_id,
  attr_k, attr_v, event_ns, event_name, event_attr,
  channel, region, branch, teller, txn_code, return_code, txn_id, traffic, client_version, caller, route,
  http_status, rpc_status, peer, scope, is_ahead
FROM spans
WHERE trace_id = toFixedString(unhex({trace:String}), 16)
  AND ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')}
ORDER BY ts, span
LIMIT 10000
