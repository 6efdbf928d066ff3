-- What was measured of some series in a range, each slice in its newest revision?
-- series: which. step: s. from, to: s since epoch, starts of slices.
-- Row: series, group, start (s since epoch), good and total in thousandths, whether it is known, revision.
SELECT series, slo_group, toUnixTimestamp(start) AS at, good, total, is_known, revision
FROM sli_slices FINAL
WHERE series IN {series:Array(String)}
  AND step = {step:UInt16} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
ORDER BY series, slo_group, start
LIMIT 5000000
