-- Which SLOs were judged anew since an instant?
-- since: ms since epoch. Row: name, objective, group, when it was judged last (ms since epoch). No status: they are large.
SELECT slo, objective, slo_group, toUnixTimestamp64Milli(max(slo_statuses.judged_at)) AS judged_ms
FROM slo_statuses
WHERE slo_statuses.judged_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY slo, objective, slo_group
LIMIT 200000
