-- What was measured of some series in a range, each slice in its newest revision, a row for each series and group?
-- series: which. step: s. from, to: s since epoch, starts of slices.
-- Row: series, group, and in order of time: starts (s since epoch), good and total in thousandths, 1 where known, revisions.
SELECT series, slo_group, groupArray(at) AS starts, groupArray(g) AS goods, groupArray(t) AS totals, groupArray(k) AS known, groupArray(revision) AS revisions
FROM (
  SELECT series, slo_group, toUnixTimestamp(start) AS at, toFloat64(good) AS g, toFloat64(total) AS t, toUInt8(is_known) AS k, revision
  FROM sli_slices FINAL
  WHERE series IN {series:Array(String)} AND step = {step:UInt16} AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
  ORDER BY series, slo_group, at
)
GROUP BY series, slo_group
ORDER BY series, slo_group
LIMIT 1000000
