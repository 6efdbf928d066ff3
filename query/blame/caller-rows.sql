-- Who sent the requests of some entries, in minutes that are derived? from, to: DateTime('UTC'), minute edges. entries: service 1F operation 1F code each; slow: by entry,
-- first latency bucket that is slow. KEPT_PATHS stands for kept-paths.sql. Row: minute since 1970, client version and caller, either may be
-- empty, requests, failed ones, slow ones; most first, 20,000 at most.
SELECT minute, client, sender, sum(weighted) / 1000 AS requests, sum(system_error + business_error + shed) / 1000 AS failed, sum(slow_weight) / 1000 AS slow
FROM
(
  SELECT intDiv(toUnixTimestamp(bucket), 60) AS minute, toString(client_version) AS client, toString(caller) AS sender, weighted, system_error,
    business_error, shed, toInt32(indexOf({entries:Array(String)}, concat(service, '\x1F', operation, '\x1F', txn_code))) AS entry,
    arraySum(arrayMap((edge, weight) -> if(edge >= {slow:Array(UInt8)}[entry], weight, 0), latency_buckets, latency_weights)) AS slow_weight
  FROM
  (
KEPT_PATHS
  ) AS paths
  WHERE entry > 0 AND (client_version != '' OR caller != '')
) AS sent
GROUP BY minute, client, sender
ORDER BY requests DESC, minute, client, sender
LIMIT 20000
