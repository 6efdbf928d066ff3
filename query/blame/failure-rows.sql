-- Where did failing traces of some entries begin to fail?
-- from, to, entries, tellers, branches: as in trace-rows.sql. OPEN_FAILURES stands for the rows of minutes that are not derived yet.
-- limit: rows at most, most failures first. Row: minute since 1970, entry (from 0), cell, origin, failed requests, one's trace.
SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute,
  indexOf({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code))) - 1 AS entry,
  toString(channel) AS cell_channel, toString(site) AS cell_site, toString(region) AS cell_region,
  if({branches:UInt8} = 1, toString(branch), '') AS cell_branch, if({tellers:UInt8} = 1, toString(teller), '') AS cell_teller,
  toString(origin_service) AS origin, toString(origin_version) AS version, toString(origin_operation) AS failed_operation,
  toString(origin_peer) AS peer, toString(origin_site) AS failed_site, toString(origin_zone) AS zone, toString(origin_cluster) AS cluster,
  toString(origin_node) AS node, if(signature = 0, '', lower(hex(signature))) AS error, sum(weighted) / 1000 AS failed
FROM
(
  SELECT bucket, service, operation, txn_code, channel, site, region, branch, teller, origin_service, origin_version, origin_operation, origin_peer,
    origin_site, origin_zone, origin_cluster, origin_node, signature, weighted
  FROM trace_failures_1m
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
    AND (bucket, derivation) IN (
      SELECT bucket, max(derivation) FROM derivations
      WHERE name = 'trace_paths_1m' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
      GROUP BY bucket)
  UNION ALL
  SELECT bucket, service, operation, txn_code, channel, site, region, branch, teller, origin_service, origin_version, origin_operation, origin_peer,
    origin_site, origin_zone, origin_cluster, origin_node, signature, weighted
  FROM
  (
OPEN_FAILURES
  ) AS open_rows
  WHERE traffic = 'live'
) AS failures
WHERE entry >= 0
GROUP BY minute, entry, cell_channel, cell_site, cell_region, cell_branch, cell_teller, origin, version, failed_operation, peer, failed_site, zone,
  cluster, node, error
ORDER BY failed DESC, minute, entry, cell_channel, cell_site, cell_region, cell_branch, cell_teller, origin, version, failed_operation, peer,
  failed_site, zone, cluster, node, error
LIMIT {limit:UInt32}
