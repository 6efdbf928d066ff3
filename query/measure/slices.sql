-- What was measured of some SLOs in a range, each slice in its newest revision?
-- slos: ids. generation: which question. from, to: s since epoch, starts of slices.
-- Row: SLO, group, start (s since epoch), step (s), good and total in thousandths, revision, when measured (ms since epoch).
SELECT slo, slo_group, toUnixTimestamp(start) AS at, step, good, total, revision, toUnixTimestamp64Milli(measured_at) AS measured_ms
FROM slo_slices FINAL
WHERE slo IN {slos:Array(String)} AND generation = {generation:UInt32}
  AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
ORDER BY slo, slo_group, start
LIMIT 5000000
