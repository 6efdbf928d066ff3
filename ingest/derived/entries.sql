-- Part of the questions of traces (trace-paths.sql, trace-failures.sql): the entries of one minute, or of one slice of it, each with
-- its cell and the path of its trace. TRACES narrows to traces, ENTRIES to entries.
-- from: s since epoch, start of the minute. slice of slices, by trace id.
-- An entry is what customers see: a SERVER or CONSUMER span that is the root of its trace; where a trace has none, the earliest one whose
-- parent is not there, else the earliest one (below a CLIENT root). Spans of a trace are looked for from 5 s before the minute
-- to 15 s after it; a trace without a root that began up to a minute earlier is not taken to begin here.
SELECT e.trace_id AS trace_id, e.span64 AS span64, traffic, service, operation, txn_code, environment,
  if(channel != '', channel, first_channel) AS cell_channel, if(site != '', site, first_site) AS cell_site,
  if(region != '', region, first_region) AS cell_region, if(branch != '', branch, first_branch) AS cell_branch,
  if(teller != '', teller, first_teller) AS cell_teller, client_version, caller, t.path AS path, weight, duration_ns, outcome
FROM
(
  SELECT trace_id, reinterpretAsUInt64(span_id) AS span64, traffic, service, operation, txn_code, environment, channel, site, region,
    branch, teller, client_version, caller, weight, duration_ns, outcome
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND
    AND kind IN (2, 5) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND ENTRIES
) AS e
ANY INNER JOIN
(
  SELECT trace_id,
    concat('\x1E', arrayStringConcat(arraySlice(arraySort(groupUniqArray(concat(service, '\x1F', version))), 1, 200), '\x1E'), '\x1E') AS path,
    argMinIf(toString(channel), ts, channel != '') AS first_channel, argMinIf(toString(site), ts, site != '') AS first_site,
    argMinIf(toString(region), ts, region != '') AS first_region, argMinIf(toString(branch), ts, branch != '') AS first_branch,
    argMinIf(toString(teller), ts, teller != '') AS first_teller,
    groupArray(reinterpretAsUInt64(span_id)) AS ids,
    groupArrayIf(reinterpretAsUInt64(span_id), kind IN (2, 5)) AS serving,
    groupArrayIf(reinterpretAsUInt64(parent_id), kind IN (2, 5)) AS parents,
    groupArrayIf(ts, kind IN (2, 5)) AS starts,
    if(has(parents, 0), arrayFilter((span, parent) -> parent = 0, serving, parents),
      if(trace_id IN (
          SELECT trace_id FROM spans
          WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 65 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND
            AND parent_id = toFixedString('', 8)), [],
        arraySlice(arraySort((span, parent, start) -> (has(ids, parent), start, span), serving, parents, starts), 1, 1))) AS entries
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 5 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 75 SECOND
    AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16} AND TRACES
  GROUP BY trace_id
  HAVING notEmpty(entries)
) AS t ON t.trace_id = e.trace_id
WHERE has(t.entries, e.span64)
