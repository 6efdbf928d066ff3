-- Part of the question of traces (trace-paths.sql): the entries of one minute, or of one slice of it, each with
-- its cell and the path of its trace. ENTRIES narrows to entries.
-- from: s since epoch, start of the minute. slice of slices, by trace id.
-- An entry is what customers see: a SERVER or CONSUMER span that is the root of its trace; where a trace has no such root, the earliest
-- one whose parent is not there, else the earliest one (below a CLIENT root). Spans of a trace are looked for from 5 s before the
-- minute to 15 s after it; a trace whose root began up to a minute earlier is not taken to begin here.
SELECT e.trace_id AS trace_id, e.span64 AS span64, traffic, service, operation, txn_code, environment,
  if(channel != '', channel, first_channel) AS cell_channel, if(site != '', site, first_site) AS cell_site,
  if(region != '', region, first_region) AS cell_region, if(branch != '', branch, first_branch) AS cell_branch,
  if(teller != '', teller, first_teller) AS cell_teller, client_version, caller, t.path AS path, weight, duration_ns, outcome
FROM
(
  SELECT trace_id, reinterpretAsUInt64(span_id) AS span64, reinterpretAsUInt64(parent_id) AS parent64, traffic, service, operation, txn_code,
    environment, channel, site, region, branch, teller, client_version, caller, weight, duration_ns, outcome
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND
    AND kind IN (2, 5) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND ENTRIES
    AND (parent_id = toFixedString('', 8) OR (trace_id, span_id) IN (
      SELECT trace_id, tupleElement(min((has(ids, parent), start, span)), 3)
      FROM
      (
        SELECT trace_id, groupArray(span_id) AS ids, groupArrayIf((parent_id, ts, span_id), kind IN (2, 5)) AS serving
        FROM spans
        WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
          AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16}
          AND trace_id NOT IN (
            SELECT trace_id FROM spans
            WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 65 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
              AND parent_id = toFixedString('', 8) AND (kind IN (2, 5) OR ts < toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND)
              AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16})
        GROUP BY trace_id
      ) AS rootless
      ARRAY JOIN serving.1 AS parent, serving.2 AS start, serving.3 AS span
      GROUP BY trace_id))
) AS e
INNER JOIN
(
  SELECT trace_id,
    concat('\x1E', arrayStringConcat(arraySlice(arraySort(groupUniqArray(concat(service, '\x1F', version))), 1, 200), '\x1E'), '\x1E') AS path,
    argMinIf(toString(channel), ts, channel != '') AS first_channel, argMinIf(toString(site), ts, site != '') AS first_site,
    argMinIf(toString(region), ts, region != '') AS first_region, argMinIf(toString(branch), ts, branch != '') AS first_branch,
    argMinIf(toString(teller), ts, teller != '') AS first_teller
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
    AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16}
  GROUP BY trace_id
) AS t ON t.trace_id = e.trace_id
