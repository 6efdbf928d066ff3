-- Where did failing traces of some entries begin to fail, in minutes that are derived?
-- from, to, entries, tellers, branches: as in trace-rows.sql. KEPT_MINUTES stands for kept-minutes.sql.
-- limit: rows at most, most failures first. Row: minute since 1970, entry (from 0), cell, origin, failed requests.
SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute,
  indexOf({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code))) - 1 AS entry,
  toString(channel) AS cell_channel, toString(site) AS cell_site, toString(region) AS cell_region,
  if({branches:UInt8} = 1, toString(branch), '') AS cell_branch, if({tellers:UInt8} = 1, toString(teller), '') AS cell_teller,
  toString(origin_service) AS origin, toString(origin_version) AS version, toString(origin_operation) AS failed_operation,
  toString(origin_peer) AS peer, toString(origin_site) AS failed_site, toString(origin_zone) AS zone, toString(origin_cluster) AS cluster,
  toString(origin_node) AS node, if(signature = 0, '', lower(hex(signature))) AS error, sum(weighted) / 1000 AS failed
FROM trace_failures_1m
WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND KEPT_MINUTES AND entry >= 0
GROUP BY minute, entry, cell_channel, cell_site, cell_region, cell_branch, cell_teller, origin, version, failed_operation, peer, failed_site, zone,
  cluster, node, error
ORDER BY failed DESC, minute, entry, cell_channel, cell_site, cell_region, cell_branch, cell_teller, origin, version, failed_operation, peer,
  failed_site, zone, cluster, node, error
LIMIT {limit:UInt32}
