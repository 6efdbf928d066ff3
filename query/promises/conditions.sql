-- In which condition is each SLO, as it was judged last?
-- Row: name, objective, group, when it was judged (ms since epoch), generation, condition.
SELECT slo, objective, slo_group, toUnixTimestamp64Milli(max(slo_statuses.judged_at)) AS judged_ms, argMax(slo_statuses.generation, slo_statuses.judged_at) AS generation,
  argMax(slo_statuses.condition, slo_statuses.judged_at) AS condition
FROM slo_statuses
GROUP BY slo, objective, slo_group
ORDER BY slo, objective, slo_group
LIMIT 200000
