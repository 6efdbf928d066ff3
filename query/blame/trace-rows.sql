-- How did the traces of some entries end, by minute, cell and by how they met each candidate, in minutes that are derived?
-- from, to: DateTime('UTC'), minute edges. entries: service 1F operation 1F code each; slow: by entry, first latency bucket that is slow.
-- new_in, old_in: by candidate what a path has that met the new version, or the service at all. clients: versions of client applications
-- that are candidates. tellers, branches: 1 to tell these apart. KEPT_PATHS stands for kept-paths.sql, TOUCH for the met ones, found once
-- for each distinct path.
-- Row: entry (from 0), cell; minutes since 1970, touch (a digit a candidate: 0 no, 1 old, 2 new; clients' after them), counts in
-- requests, each a list, in one order that is any.
SELECT entry, any(channel_) AS channel, any(site_) AS site, any(region_) AS region, any(branch_) AS branch, any(teller_) AS teller,
  groupArray(minute) AS minutes, groupArray(touch) AS touches, groupArray(weighted_ / 1000) AS requests, groupArray(system_error_ / 1000) AS system_errors,
  groupArray(business_error_ / 1000) AS business_errors, groupArray(shed_ / 1000) AS shed, groupArray(reject_ / 1000) AS rejects, groupArray(slow_ / 1000) AS slow
FROM
(
  SELECT minute, entry, cell, any(rows.channel) AS channel_, any(rows.site) AS site_, any(rows.region) AS region_,
    any(if({branches:UInt8} = 1, toString(rows.branch), '')) AS branch_, any(if({tellers:UInt8} = 1, toString(rows.teller), '')) AS teller_,
    any(touched) AS touch, sum(weighted) AS weighted_, sum(system_error) AS system_error_, sum(business_error) AS business_error_, sum(shed) AS shed_,
    sum(business_reject) AS reject_,
    sum(arraySum(arrayMap((edge, weight) -> if(edge >= {slow:Array(UInt8)}[entry + 1], weight, 0), latency_buckets, latency_weights))) AS slow_
  FROM
  (
    SELECT *, toUInt32(intDiv(toUnixTimestamp(bucket), 60)) AS minute,
      cityHash64(channel, site, region, if({branches:UInt8} = 1, toString(branch), ''), if({tellers:UInt8} = 1, toString(teller), '')) AS cell,
      if(empty({clients:Array(String)}), path_touch, concat(path_touch, arrayStringConcat(arrayMap(client -> multiIf(client_version = client, '2', client_version = '', '0', '1'), {clients:Array(String)})))) AS touched
    FROM
    (
      SELECT kept.*, met.path_touch AS path_touch
      FROM
      (
        SELECT *, toInt32(indexOf({entries:Array(String)}, concat(service, '\x1F', operation, '\x1F', txn_code))) - 1 AS entry, cityHash64(path) AS path64
        FROM
        (
KEPT_PATHS
        ) AS of_time
        WHERE entry >= 0
      ) AS kept
      INNER JOIN
      (
        SELECT cityHash64(path) AS path64, TOUCH AS path_touch
        FROM (SELECT DISTINCT path FROM (
KEPT_PATHS
        ) AS every_row) AS every_path
      ) AS met ON met.path64 = kept.path64
    ) AS rows_met
  ) AS rows
  GROUP BY minute, entry, cell, cityHash64(touched)
) AS counted
GROUP BY entry, cell
ORDER BY entry, channel, site, region, branch, teller
LIMIT 20000
