-- Where did the customers' requests that failed in one minute, or in one slice of it, begin to fail?
-- from, slice, slices: as in entries.sql, which stands for ENTRIES_OF_MINUTE. Row: as in trace_failures_1m, without slice and derivation.
-- Failures are followed downwards from the entry: through failed spans, internal ones that say nothing, and below a call that was
-- served through what failed by its return code; of what is reached the deepest counts, of several as deep what ended last.
-- Only traces with a failed entry are read whole.
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, traffic, service, operation, txn_code, environment, channel, site, region, branch, teller,
  path, toString(o.its_service) AS origin_service, toString(o.its_version) AS origin_version, toString(o.its_operation) AS origin_operation,
  if(is_answered, '', o.far) AS origin_peer, toString(o.its_site) AS origin_site, toString(o.its_zone) AS origin_zone,
  toString(o.its_cluster) AS origin_cluster, n.node AS origin_node, o.its_signature AS signature,
  count() AS requests, sum(toUInt64(lost.weight)) AS weighted, max(lost.trace_id) AS example_trace
FROM
(
  SELECT trace_id, toString(traffic) AS traffic, toString(service) AS service, toString(operation) AS operation, toString(txn_code) AS txn_code,
    toString(environment) AS environment, cell_channel AS channel, cell_site AS site, cell_region AS region, cell_branch AS branch,
    cell_teller AS teller, path, weight,
    -- From a failed span up to the entry: where one stands, how far that is, whether all between passes failures on.
    toUInt32(indexOf(ids, span64)) AS top,
    arrayMap(start -> arrayFold((at, step) -> if(at.1 = 0 OR at.1 = top, at,
        (ups[at.1], toUInt32(at.2 + 1), toUInt8(at.3 AND ups[at.1] > 0 AND (ups[at.1] = top OR failed[ups[at.1]] OR silent[ups[at.1]]
          OR (kinds[ups[at.1]] = 3 AND by_code[at.1]))))),
      range(32), (toUInt32(start), toUInt32(0), toUInt8(1))), arrayFilter((place, fails) -> fails, arrayEnumerate(ids), failed)) AS walks,
    arrayMap((walk, ended, id) -> if(walk.1 = top AND walk.3 = 1, (toUInt32(walk.2 + 1), ended, id), (toUInt32(0), toUInt64(0), toUInt64(0))), walks,
      arrayFilter((ended, fails) -> fails, ends, failed), arrayFilter((id, fails) -> fails, ids, failed)) AS reached,
    arrayMax(reached).3 AS origin, has(parents, origin) AS is_answered
  FROM
  (
ENTRIES_OF_MINUTE
  ) AS entries
  INNER JOIN
  (
    -- A lambda that reads an expression computes it for each element; here it is a column.
    SELECT *, arrayMap(parent -> toUInt32(indexOf(ids, parent)), parents) AS ups
    FROM
    (
    SELECT trace_id, groupArray(1000)(reinterpretAsUInt64(span_id)) AS ids, groupArray(1000)(reinterpretAsUInt64(parent_id)) AS parents,
      groupArray(1000)(outcome IN ('business_error', 'shed', 'system_error')) AS failed, groupArray(1000)(kind) AS kinds,
      groupArray(1000)(kind < 2 AND status = 0) AS silent,
      groupArray(1000)(return_code != '') AS by_code,
      groupArray(1000)(toUInt64(toUnixTimestamp64Nano(ts)) + duration_ns) AS ends
    FROM
    (
      SELECT trace_id, span_id, parent_id, outcome, kind, status, return_code, ts, duration_ns
      FROM spans
      WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
        AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND FAILED_TRACES
      ORDER BY trace_id, ts, span_id
    )
    GROUP BY trace_id
    ) AS shape
  ) AS shapes ON shapes.trace_id = entries.trace_id
) AS lost
ANY LEFT JOIN
(
  SELECT trace_id, reinterpretAsUInt64(span_id) AS span64, service AS its_service, version AS its_version, operation AS its_operation,
    site AS its_site, zone AS its_zone, cluster AS its_cluster, res_id,
    if(kind IN (3, 4), substring(multiIf(has(attr_k, 'peer.service'), attr_v[indexOf(attr_k, 'peer.service')],
      peer != '', toString(peer),
      has(attr_k, 'messaging.destination.name'), attr_v[indexOf(attr_k, 'messaging.destination.name')],
      has(attr_k, 'db.system.name'), attr_v[indexOf(attr_k, 'db.system.name')],
      has(attr_k, 'db.system'), attr_v[indexOf(attr_k, 'db.system')],
      'unknown'), 1, 256), '') AS far,
    arrayLast((event, name) -> name = 'exception', event_attr, event_name) AS exception,
    if(exception = '', 0, SIGNATURE_OF_EXCEPTION) AS its_signature
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
    AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND outcome IN ('business_error', 'shed', 'system_error') AND FAILED_TRACES
) AS o ON o.trace_id = lost.trace_id AND o.span64 = lost.origin
ANY LEFT JOIN
(
NODES
) AS n ON n.res_id = o.res_id
GROUP BY traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, path, origin_service, origin_version,
  origin_operation, origin_peer, origin_site, origin_zone, origin_cluster, origin_node, signature
