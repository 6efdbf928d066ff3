-- Which release events have no step, in the order of their identity?
-- source, id: the identity to go on after, both empty at first. limit: rows at most. Row: the event, instants in ms since epoch.
-- Both tables are sorted by the identity. Events that tell of no release never get a step and come at every asking.
SELECT source, id, type, toUnixTimestamp64Milli(at) AS happened, toUnixTimestamp64Milli(received_at) AS received, body
FROM release_events FINAL
WHERE (source, id) > ({source:String}, {id:String})
  AND (source, id) NOT IN (SELECT source, event_id FROM release_steps)
ORDER BY source, id
LIMIT {limit:UInt32}
