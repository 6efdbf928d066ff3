-- What was said of some SLOs last before an instant of each?
-- slos, objectives, groups, instants (ms since epoch): one each, in the same order. Row: place in the lists, when it was said
-- (ms since epoch), condition, SLI with and without exclusions, part of the budget left, burn rate, coverage. Nothing older than five minutes.
SELECT wanted.place AS place, max(toUnixTimestamp64Milli(f.judged_at)) AS at, argMax(f.condition, f.judged_at) AS condition,
  argMax(tuple(f.sli), f.judged_at).1 AS sli, argMax(tuple(f.sli_gross), f.judged_at).1 AS sli_gross,
  argMax(tuple(f.remaining), f.judged_at).1 AS remaining, argMax(tuple(f.burn), f.judged_at).1 AS burn, argMax(tuple(f.coverage), f.judged_at).1 AS coverage
FROM (
  SELECT slo, objective, slo_group, judged_at, condition, sli, sli_gross, remaining, burn, coverage
  FROM slo_figures
  WHERE slo IN {slos:Array(String)}
    AND judged_at >= fromUnixTimestamp64Milli(arrayMin({instants:Array(Int64)}) - 300000, 'UTC')
    AND judged_at <= fromUnixTimestamp64Milli(arrayMax({instants:Array(Int64)}), 'UTC')
) AS f
INNER JOIN (
  SELECT w.1 AS slo, w.2 AS objective, w.3 AS slo_group, w.4 AS instant, w.5 AS place
  FROM (SELECT arrayJoin(arrayZip({slos:Array(String)}, {objectives:Array(UInt16)}, {groups:Array(String)}, {instants:Array(Int64)},
    range(toUInt64(length({slos:Array(String)}))))) AS w)
) AS wanted ON f.slo = wanted.slo AND f.objective = wanted.objective AND f.slo_group = wanted.slo_group
WHERE toUnixTimestamp64Milli(f.judged_at) <= wanted.instant AND toUnixTimestamp64Milli(f.judged_at) > wanted.instant - 300000
GROUP BY wanted.place
ORDER BY place
LIMIT 10000
