-- Where did customers' requests come in, which of them touched a service, and how long do they usually take?
-- from, to: DateTime('UTC'), minute edges. usual: DateTime('UTC'), latencies until then are the usual ones. service: what is looked for in
-- paths. PATHS stands for the rows. limit: entries at most, most requests first.
-- Row: entry; requests, those that touched the service and those that failed, in thousandths; spans that stand for them; usual latencies
-- by bucket; distinct cells, about, with tellers, and without.
SELECT toString(service) AS service, toString(operation) AS operation, toString(txn_code) AS txn_code, sum(weighted) AS requests_weighted,
  sum(requests) AS spans, sumIf(weighted, position(path, concat('\x1E', {service:String}, '\x1F')) > 0) AS touching,
  sumMapIf(latency_buckets, latency_weights, bucket < {usual:DateTime('UTC')}) AS usual_latency,
  uniqCombined(channel, site, region, branch, teller) AS teller_cells, uniqCombined(channel, site, region, branch) AS branch_cells
FROM
(
PATHS
) AS paths
GROUP BY service, operation, txn_code
ORDER BY requests_weighted DESC, service, operation, txn_code
LIMIT {limit:UInt32}
