-- Which of these stored release events have no step, and what do they say?
-- sources, ids: arrays of the same length, the identities asked for. Row: the event, instants in ms since epoch.
-- The sorting keys (source, id) and (source, event_id) make both sides look-ups.
SELECT source, id, type, toUnixTimestamp64Milli(at) AS happened, toUnixTimestamp64Milli(received_at) AS received, body
FROM release_events FINAL
WHERE (source, id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {ids:Array(String)})) AS identity)
  AND (source, id) NOT IN (
    SELECT source, event_id FROM release_steps
    WHERE (source, event_id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {ids:Array(String)})) AS identity)
  )
