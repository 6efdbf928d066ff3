-- How did one business transaction do over a range, and which of its requests were lost?
-- code: exactly. from, to: DateTime64(3, 'UTC'). traffic: exactly. everything: 1 for all systems, else services of own,
-- and of those that are not of others what names one of systems, or none. One row: requests and lost ones in thousandths, sampled ones for what they stand for; p95 in ns; lost entry
-- spans, and of those the thousand whose trace ids have the smallest hashes, a uniform sample that is the same each time: hash, trace
-- and span in hexadecimal, weight in thousandths, start in ms since epoch, duration in ns.
-- One statement, so that the sample and the sums are of the same rows. The day's parts are read, of most rows two small columns.
SELECT sum(weight) AS requests, sumIf(weight, is_lost) AS lost, countIf(is_lost) AS lost_entries,
  quantileBFloat16Weighted(0.95)(toFloat32(duration_ns), weight) AS p95,
  groupArraySortedIf(1000)(tuple(sipHash64(trace_id), lower(hex(trace_id)), lower(hex(span_id)), weight,
    toUnixTimestamp64Milli(ts), duration_ns), is_lost) AS entries
FROM
(
  SELECT *, outcome IN ('business_error', 'shed', 'system_error') AS is_lost
  FROM spans
  WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND txn_code = {code:String} AND kind IN (2, 5)
    AND parent_id = toFixedString('', 8) AND traffic = {traffic:String}
    AND ({everything:UInt8} = 1 OR has({own:Array(String)}, service)
      OR (NOT has({others:Array(String)}, service) AND (system = '' OR has({systems:Array(String)}, system))))
) AS entry
