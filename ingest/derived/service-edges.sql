-- Derives who called whom in one minute, or in one slice of it.
-- from: s since epoch, start of the minute. slice of slices, by trace id. derivation: ms since epoch.
-- Callers are the CLIENT and PRODUCER spans that start in the minute; an answer is the SERVER or CONSUMER span whose parent
-- is the call, and starts up to half a minute after the minute (or 10 s before it, by a clock that is behind).
-- Time narrows to the day's parts; memory holds the answers of one slice.
INSERT INTO service_edges_1m
  (bucket, traffic, caller, caller_version, callee, peer, peer_kind, slice, derivation, requests, weighted, bad, callee_bad, caller_latency, callee_latency)
SETTINGS async_insert = 0, max_threads = 1, max_insert_threads = 1
SELECT toDateTime({from:UInt32}, 'UTC') AS bucket, traffic, caller, caller_version, answers.service AS callee,
  if(callee != '', '', substring(c.far, 1, 256)) AS peer, if(callee != '', '', max(c.far_kind)) AS peer_kind, {slice:UInt16}, {derivation:UInt64},
  count(), sum(c.weight), sumIf(c.weight, c.is_bad), sumIf(c.weight, answers.is_bad AND callee != ''),
  quantilesBFloat16State(0.5, 0.95, 0.99)(toFloat32(c.duration_ns)),
  quantilesBFloat16StateIf(0.5, 0.95, 0.99)(toFloat32(answers.duration_ns), callee != '')
FROM
(
  SELECT trace_id, span_id, traffic, service AS caller, version AS caller_version, weight, duration_ns,
    outcome IN ('business_error', 'shed', 'system_error') AS is_bad,
    multiIf(has(attr_k, 'peer.service'), attr_v[indexOf(attr_k, 'peer.service')],
      peer != '', toString(peer),
      has(attr_k, 'messaging.destination.name'), attr_v[indexOf(attr_k, 'messaging.destination.name')],
      has(attr_k, 'db.system.name'), attr_v[indexOf(attr_k, 'db.system.name')],
      has(attr_k, 'db.system'), attr_v[indexOf(attr_k, 'db.system')],
      'unknown') AS far,
    multiIf(has(attr_k, 'db.system.name') OR has(attr_k, 'db.system'), 'database',
      kind = 4 OR has(attr_k, 'messaging.system') OR has(attr_k, 'messaging.destination.name'), 'queue', 'external') AS far_kind
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND
    AND kind IN (3, 4) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16}
) AS c
ANY LEFT JOIN
(
  SELECT trace_id, parent_id, service, duration_ns, outcome IN ('business_error', 'shed', 'system_error') AS is_bad
  FROM spans
  WHERE ts >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 10 SECOND AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 90 SECOND
    AND kind IN (2, 5) AND parent_id != toFixedString('', 8) AND reinterpretAsUInt64(trace_id) % {slices:UInt16} = {slice:UInt16}
) AS answers ON answers.trace_id = c.trace_id AND answers.parent_id = c.span_id
GROUP BY traffic, caller, caller_version, callee, peer
