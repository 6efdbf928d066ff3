-- Which of these release events are stored already?
-- sources, ids: arrays of the same length, the identities asked for. Row: source, id.
-- The sorting key (source, id) makes it a look-up.
SELECT DISTINCT source, id
FROM release_events
WHERE (source, id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {ids:Array(String)})) AS identity)
