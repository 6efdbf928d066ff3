-- In how many minutes did an event of some series fail, with and without excluded stretches?
-- series, step (s): which. is_together: 1 for all series as one. from, to: s since epoch, starts of slices.
-- excluded_from, excluded_to: stretches, s since epoch. Row: series (empty together), group, minutes in all and those not excluded.
SELECT if({is_together:UInt8} = 1, '', series) AS item, slo_group, uniqExact(minute) AS minutes, uniqExactIf(minute, NOT is_excluded) AS minutes_net
FROM (
  SELECT series, slo_group, intDiv(toUnixTimestamp(start), 60) AS minute,
    arrayExists((a, b) -> toUnixTimestamp(start) >= a AND toUnixTimestamp(start) < b, {excluded_from:Array(UInt32)}, {excluded_to:Array(UInt32)}) AS is_excluded
  FROM sli_slices FINAL
  WHERE series IN {series:Array(String)} AND step = {step:UInt16}
    AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
    AND is_known AND good < total
)
GROUP BY item, slo_group
ORDER BY item, slo_group
LIMIT 1000000
