-- What was said of an SLO at the time, the last of each step?
-- slo, objective, slo_group: which. from, to: ms since epoch. step: ms.
-- Row: when (ms since epoch), condition, SLI with and without exclusions, part of the budget left, burn rate, coverage.
SELECT max(toUnixTimestamp64Milli(judged_at)) AS at, argMax(slo_figures.condition, judged_at) AS condition, argMax(tuple(slo_figures.sli), judged_at).1 AS sli,
  argMax(tuple(slo_figures.sli_gross), judged_at).1 AS sli_gross, argMax(tuple(slo_figures.remaining), judged_at).1 AS remaining,
  argMax(tuple(slo_figures.burn), judged_at).1 AS burn, argMax(tuple(slo_figures.coverage), judged_at).1 AS coverage
FROM slo_figures
WHERE slo = {slo:String} AND objective = {objective:UInt16} AND slo_group = {slo_group:String}
  AND judged_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND judged_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY intDiv(toUnixTimestamp64Milli(judged_at), {step:Int64})
ORDER BY at
LIMIT 20001
