-- How do SLOs stand, as they were judged last?
-- slos: names; is_all: 1 for every SLO. Row: name, objective, group, when it was judged (ms since epoch), generation, status as JSON.
SELECT slo, objective, slo_group, toUnixTimestamp64Milli(max(slo_statuses.judged_at)) AS judged_ms, argMax(slo_statuses.generation, slo_statuses.judged_at) AS generation,
  argMax(slo_statuses.status, slo_statuses.judged_at) AS status
FROM slo_statuses
WHERE {is_all:UInt8} = 1 OR slo IN {slos:Array(String)}
GROUP BY slo, objective, slo_group
ORDER BY slo, objective, slo_group
LIMIT 200000
