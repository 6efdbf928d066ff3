-- What do slices of one series and group add up to, bucket by bucket, with and without excluded stretches?
-- series, step (s), slo_group: which. from, to: s since epoch, starts of slices. bucket: s.
-- excluded_from, excluded_to: stretches, s since epoch.
-- Row: start of the bucket (s since epoch); good, total, known and empty slices; the same of excluded ones.
SELECT intDiv(toUnixTimestamp(start), {bucket:UInt32}) * {bucket:UInt32} AS at,
  sumIf(g, is_known) AS good, sumIf(t, is_known) AS total, countIf(is_known) AS known, countIf(is_known AND t = 0) AS empty,
  sumIf(g, is_known AND is_excluded) AS excluded_good, sumIf(t, is_known AND is_excluded) AS excluded_total,
  countIf(is_known AND is_excluded) AS excluded_known, countIf(is_known AND is_excluded AND t = 0) AS excluded_empty
FROM (
  SELECT start, good AS g, total AS t, is_known,
    arrayExists((a, b) -> toUnixTimestamp(start) >= a AND toUnixTimestamp(start) < b, {excluded_from:Array(UInt32)}, {excluded_to:Array(UInt32)}) AS is_excluded
  FROM sli_slices FINAL
  WHERE series = {series:String} AND step = {step:UInt16} AND slo_group = {slo_group:String}
    AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
)
GROUP BY at
ORDER BY at
LIMIT 200001
