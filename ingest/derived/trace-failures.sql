-- Where did the customers' requests that failed in one minute, or in one slice of it, begin to fail?
-- from, slice, slices: as in entries.sql. ENTRIES narrows to entries, FAILED_TRACES to traces with a failed one, NODES stands for nodes.sql.
-- Row: as in trace_failures_1m, without slice and derivation. What an entry is, and its cell and path, is said in entries.sql.
-- Failures are followed downwards from the entry: through failed spans, internal ones that say nothing, and below a call that was
-- served through what failed by its return code; of what is reached the deepest counts, of several as deep what ended last.
-- Only traces with a failed entry are read whole, 1000 spans of each. Steps stand in selects of their own: what one select reuses is
-- planned anew each time, and planning is most of what a quiet minute costs.
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, toString(lost.traffic) AS traffic, toString(lost.service) AS service, toString(lost.operation) AS operation,
  toString(lost.txn_code) AS txn_code, toString(lost.environment) AS environment, lost.channel AS channel, lost.site AS site, lost.region AS region,
  lost.branch AS branch, lost.teller AS teller, lost.path AS path, toString(o.service) AS origin_service, toString(o.version) AS origin_version,
  toString(o.operation) AS origin_operation, if(is_answered, '', o.far) AS origin_peer, toString(o.site) AS origin_site, toString(o.zone) AS origin_zone,
  toString(o.cluster) AS origin_cluster, n.node AS origin_node, o.signature AS signature,
  count() AS requests, sum(toUInt64(lost.weight)) AS weighted, max(lost.trace_id) AS example_trace
FROM
(
  SELECT trace_id, traffic, service, operation, txn_code, environment, if(own_channel != '', own_channel, first_channel) AS channel,
    if(own_site != '', own_site, first_site) AS site, if(own_region != '', own_region, first_region) AS region,
    if(own_branch != '', own_branch, first_branch) AS branch, if(own_teller != '', own_teller, first_teller) AS teller, path, weight, origin,
    has(parents, origin) AS is_answered
  FROM
  (
  SELECT *, arrayMax(arrayMap((depth, fails, ended, id) -> (if(fails, depth, 0), ended, id), reached, failed, ends, ids)).3 AS origin
  FROM
  (
  -- How deep below the entry, from 1, failures are passed down to each span; the entry's own first, then one step further at a time.
  SELECT *,
    arrayFold((depths, step) -> arrayMap((edge, depth) -> toUInt32(multiIf(depth > 0, depth, edge > 0 AND depths[edge] > 0, depths[edge] + 1, 0)), edges, depths),
      range(24), arrayMap(id -> toUInt32(id = span64), ids)) AS reached
  FROM
  (
    SELECT trace_id, reinterpretAsUInt64(span_id) AS span64, parent_id = toFixedString('', 8) AS is_root, traffic, service, operation, txn_code, environment,
      channel AS own_channel, site AS own_site, region AS own_region, branch AS own_branch, teller AS own_teller, weight
    FROM spans
    WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32} + 60, 'UTC')
      AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND kind IN (2, 5) AND outcome IN ('business_error', 'shed', 'system_error') AND ENTRIES
  ) AS e
  INNER JOIN
  (
    -- Of each span the one above it that would pass a failure on to it; 0 for none.
    SELECT *, arrayMap((up, code) -> if(up > 0 AND (failed[up] OR silent[up] OR (kinds[up] = 3 AND code)), up, 0), ups, by_code) AS edges,
      if(is_rooted, 0, ids[if(orphan > 0, orphan, arrayFirstIndex(kind -> kind IN (2, 5), kinds))]) AS first_served
    FROM
    (
      SELECT *, arrayMap(parent -> toUInt32(indexOf(ids, parent)), parents) AS ups, arrayFirstIndex((kind, up) -> kind IN (2, 5) AND up = 0, kinds, ups) AS orphan
      FROM
      (
        SELECT trace_id, max(is_base) AS is_rooted,
          groupArrayIf(1000)(id64, is_here) AS ids, groupArrayIf(1000)(parent64, is_here) AS parents,
          groupArrayIf(1000)(fails, is_here) AS failed, groupArrayIf(1000)(kind, is_here) AS kinds,
          groupArrayIf(1000)(is_silent, is_here) AS silent, groupArrayIf(1000)(has_code, is_here) AS by_code, groupArrayIf(1000)(ended, is_here) AS ends,
          arraySort(groupUniqArrayIf(pair, is_here)) AS pairs, concat('\x1E', arrayStringConcat(arraySlice(pairs, 1, 200), '\x1E'), '\x1E') AS path,
          argMinIf(channel, ts, is_here AND channel != '') AS first_channel, argMinIf(site, ts, is_here AND site != '') AS first_site,
          argMinIf(region, ts, is_here AND region != '') AS first_region, argMinIf(branch, ts, is_here AND branch != '') AS first_branch,
          argMinIf(teller, ts, is_here AND teller != '') AS first_teller
        FROM
        (
          SELECT trace_id, ts, reinterpretAsUInt64(span_id) AS id64, reinterpretAsUInt64(parent_id) AS parent64, kind, ts >= toDateTime({from:UInt32} - 5, 'UTC') AS is_here,
            outcome IN ('business_error', 'shed', 'system_error') AS fails, kind < 2 AND status = 0 AS is_silent, return_code != '' AS has_code,
            toUInt64(toUnixTimestamp64Nano(ts)) + duration_ns AS ended, parent64 = 0 AND (kind IN (2, 5) OR NOT is_here) AS is_base,
            concat(service, '\x1F', version) AS pair, channel, site, region, branch, teller
          FROM spans
          WHERE ts >= toDateTime({from:UInt32} - 65, 'UTC') AND ts < toDateTime({from:UInt32} + 75, 'UTC')
            AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND FAILED_TRACES
            AND (ts >= toDateTime({from:UInt32} - 5, 'UTC') OR parent_id = toFixedString('', 8))
          ORDER BY trace_id, ts, span_id
        )
        GROUP BY trace_id
      )
    )
  ) AS shapes ON shapes.trace_id = e.trace_id
  WHERE is_root OR span64 = first_served
  )
  )
) AS lost
ANY LEFT JOIN
(
  SELECT trace_id, span64, service, version, operation, site, zone, cluster, res_id, far, if(exception = '', 0, SIGNATURE_OF_EXCEPTION) AS signature
  FROM
  (
    SELECT trace_id, reinterpretAsUInt64(span_id) AS span64, service, version, operation, site, zone, cluster, res_id,
      if(kind IN (3, 4), substring(multiIf(has(attr_k, 'peer.service'), attr_v[indexOf(attr_k, 'peer.service')],
        peer != '', toString(peer),
        has(attr_k, 'messaging.destination.name'), attr_v[indexOf(attr_k, 'messaging.destination.name')],
        has(attr_k, 'db.system.name'), attr_v[indexOf(attr_k, 'db.system.name')],
        has(attr_k, 'db.system'), attr_v[indexOf(attr_k, 'db.system')],
        'unknown'), 1, 256), '') AS far,
      arrayLast((event, name) -> name = 'exception', event_attr, event_name) AS exception
    FROM spans
    WHERE ts >= toDateTime({from:UInt32} - 5, 'UTC') AND ts < toDateTime({from:UInt32} + 75, 'UTC')
      AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND outcome IN ('business_error', 'shed', 'system_error')
  )
) AS o ON o.trace_id = lost.trace_id AND o.span64 = lost.origin
ANY LEFT JOIN
(
NODES
) AS n ON n.res_id = o.res_id
GROUP BY traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, path, origin_service, origin_version,
  origin_operation, origin_peer, origin_site, origin_zone, origin_cluster, origin_node, signature
