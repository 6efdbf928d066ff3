-- What did the customers' requests of one minute, or of one slice of it, meet, and how did they end?
-- from, slice, slices: as in entries.sql, which stands for ENTRIES_OF_MINUTE. Row: as in trace_paths_1m, without slice and derivation.
-- The deriver keeps the rows; for minutes that are not derived yet the same rows are asked straight.
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, toString(traffic) AS traffic, toString(service) AS service, toString(operation) AS operation,
  toString(txn_code) AS txn_code, toString(environment) AS environment, cell_channel AS channel, cell_site AS site, cell_region AS region,
  cell_branch AS branch, cell_teller AS teller, toString(client_version) AS client_version, toString(caller) AS caller, path,
  count() AS requests, sum(toUInt64(weight)) AS weighted, sumIf(toUInt64(weight), outcome = 'system_error') AS system_error,
  sumIf(toUInt64(weight), outcome = 'business_error') AS business_error, sumIf(toUInt64(weight), outcome = 'shed') AS shed,
  sumIf(toUInt64(weight), outcome = 'business_reject') AS business_reject,
  sumMap([toUInt8(least(255, floor(16 * log10(greatest(duration_ns, 1)))))], [toUInt64(weight)]) AS histogram,
  histogram.1 AS latency_buckets, histogram.2 AS latency_weights
FROM
(
ENTRIES_OF_MINUTE
)
GROUP BY traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, client_version, caller, path
