-- How long did entries take, by how their traces met a release, before it was ready and since?
-- from, to: DateTime('UTC'), minute edges. ready: s since epoch. entries: service 1F operation 1F code each. new_in, old_in, clients: as in
-- trace-rows.sql, of one release. PATHS stands for the rows. Row: entry (from 0), touch (0 no, 1 old, 2 new), 1 since it was ready,
-- latencies: buckets, requests.
SELECT entry, touch, after, histogram.1 AS buckets, arrayMap(weight -> weight / 1000, histogram.2) AS requests
FROM
(
  SELECT entry, if({clients:Array(String)} = [], path_touch, multiIf(client = {clients:Array(String)}[1], '2', client = '', '0', '1')) AS touch, after,
    sumMap(latency_buckets, latency_weights) AS histogram
  FROM
  (
    SELECT indexOf({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code))) - 1 AS entry,
      TOUCH AS path_touch, toString(client_version) AS client, toUnixTimestamp(bucket) >= {ready:UInt32} AS after, latency_buckets, latency_weights
    FROM
    (
PATHS
    ) AS paths
  ) AS met
  WHERE entry >= 0
  GROUP BY entry, touch, after
) AS counted
ORDER BY entry, touch, after
