-- What are these resources?
-- ids: resource ids as decimal texts. Row: id, attributes as two arrays. A look-up by the sorting key.
SELECT toString(res_id) AS id, argMax(attr_k, seen_at) AS keys, argMax(attr_v, seen_at) AS vals
FROM resources
WHERE res_id IN (SELECT arrayJoin({ids:Array(UInt64)}))
GROUP BY res_id
