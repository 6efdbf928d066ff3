-- Which release events happened in a range, newest first?
-- from, to: DateTime('UTC'). service: '' for all. limit: rows at most. Row: one event, instants in ms since epoch.
-- A small table; one identity stored twice by a race is shown once.
SELECT source, id, type, toUnixTimestamp64Milli(at) AS happened, toUnixTimestamp64Milli(received_at) AS received,
  service, version, environment, action, description
FROM release_events FINAL
WHERE at >= {from:DateTime('UTC')} AND at < {to:DateTime('UTC')}
  AND ({service:String} = '' OR service = {service:String})
ORDER BY at DESC, source, id
LIMIT {limit:UInt32}
