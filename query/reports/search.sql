-- Which spans match, newest first?
-- from, to: DateTime64(3, 'UTC'); limit: rows at most. What else was asked is added by search.ts as further conditions,
-- each on a column or an attribute.
-- Row: ids in hexadecimal, start in ns since epoch, duration in ns.
-- The key (service, operation, time) narrows by service and operation; filters find values of SURETY_SEARCH_KEYS and
-- bank.txn.id; other attributes are read.
SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, service, version, operation, kind, outcome,
  toUnixTimestamp64Nano(ts) AS start_ns, duration_ns
FROM spans
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
ORDER BY ts DESC, span
LIMIT {limit:UInt32}
