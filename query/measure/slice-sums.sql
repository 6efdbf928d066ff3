-- What do slices of some series add up to in a range, and those of excluded stretches?
-- series: which. step: s. from, to: s since epoch, starts of slices.
-- excluded_from, excluded_to: stretches, s since epoch. Row: series, group, sums, and the first known slice (s since epoch).
SELECT series, slo_group, sumIf(g, is_known) AS good, sumIf(t, is_known) AS total, countIf(is_known) AS known, countIf(is_known AND t = 0) AS empty,
  sumIf(g, is_known AND is_excluded) AS excluded_good, sumIf(t, is_known AND is_excluded) AS excluded_total,
  countIf(is_known AND is_excluded) AS excluded_known, countIf(is_known AND is_excluded AND t = 0) AS excluded_empty,
  minIf(toUnixTimestamp(start), is_known) AS first
FROM (
  SELECT series, slo_group, start, good AS g, total AS t, is_known,
    arrayExists((a, b) -> toUnixTimestamp(start) >= a AND toUnixTimestamp(start) < b, {excluded_from:Array(UInt32)}, {excluded_to:Array(UInt32)}) AS is_excluded
  FROM sli_slices FINAL
  WHERE series IN {series:Array(String)}
    AND step = {step:UInt16} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
)
GROUP BY series, slo_group
ORDER BY series, slo_group
LIMIT 1000000
