-- How did the traces of some entries end, by minute, cell and by how they met each candidate? And by who sent them.
-- from, to: DateTime('UTC'), minute edges. entries: service 1F operation 1F code each; affected: how many of them, from the first, the fault
-- is about; slow: by entry, first latency bucket that is slow. new_in, old_in: by candidate what a path has that met the new
-- version, or the service at all. clients: versions of client applications that are candidates. tellers, branches: 1 to tell these apart.
-- KEPT_PATHS and OPEN_PATHS stand for the rows of minutes that are derived, and of those that are not yet; TOUCH for the met ones.
-- Row: kind 0: entry (from 0), cell; minutes since 1970, touch (a digit a candidate: 0 no, 1 old, 2 new), counts in requests, each a list,
-- sorted. Kinds 1 and 2: a client version, a caller of affected entries by its name instead.
SELECT kind, entry, channel_ AS channel, site_ AS site, region_ AS region, branch_ AS branch, teller_ AS teller, name,
  arraySort(groupArray((minute, touch, requests_, system_error_, business_error_, shed_, reject_, slow_))) AS sorted,
  sorted.1 AS minutes, sorted.2 AS touches, sorted.3 AS requests, sorted.4 AS system_errors, sorted.5 AS business_errors, sorted.6 AS shed,
  sorted.7 AS rejects, sorted.8 AS slow
FROM
(
  SELECT kind, entry, channel_, site_, region_, branch_, teller_, name, minute, touch, sum(weighted) / 1000 AS requests_,
    sum(system_error) / 1000 AS system_error_, sum(business_error) / 1000 AS business_error_, sum(shed) / 1000 AS shed_,
    sum(business_reject) / 1000 AS reject_, sum(slow_weight) / 1000 AS slow_
  FROM
  (
    SELECT kind, if(kind = 0, entry_, 0) AS entry, if(kind = 0, channel, '') AS channel_, if(kind = 0, site, '') AS site_,
      if(kind = 0, region, '') AS region_, if(kind = 0 AND {branches:UInt8} = 1, branch, '') AS branch_,
      if(kind = 0 AND {tellers:UInt8} = 1, teller, '') AS teller_, if(kind = 0, path_touch, '') AS touch,
      multiIf(kind = 1, client_version, kind = 2, caller, '') AS name, minute, weighted, system_error, business_error, shed, business_reject,
      slow_weight
    FROM
    (
      SELECT toString(channel) AS channel, toString(site) AS site, toString(region) AS region, toString(branch) AS branch,
        toString(teller) AS teller, toString(client_version) AS client_version, toString(caller) AS caller,
        concat(path_touch_, arrayStringConcat(arrayMap(client -> multiIf(client_version = client, '2', client_version = '', '0', '1'), {clients:Array(String)}))) AS path_touch,
        indexOf({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code))) - 1 AS entry_,
        intDiv(toUnixTimestamp(bucket), 60) AS minute, weighted, system_error, business_error, shed, business_reject,
        arraySum(arrayMap((edge, weight) -> if(edge >= {slow:Array(UInt8)}[entry_ + 1], weight, 0), latency_buckets, latency_weights)) AS slow_weight
      FROM
      (
        SELECT kept.*, met.path_touch_ AS path_touch_
        FROM
        (
KEPT_PATHS
        ) AS kept
        INNER JOIN
        (
          SELECT path, TOUCH AS path_touch_
          FROM (SELECT DISTINCT path FROM (
KEPT_PATHS
          ) AS every_row) AS every_path
        ) AS met ON met.path = kept.path
        UNION ALL
        SELECT *, TOUCH AS path_touch_
        FROM
        (
OPEN_PATHS
        ) AS open_rows
      ) AS rows
      WHERE entry_ >= 0
    ) AS of_entries
    ARRAY JOIN if(entry_ < {affected:UInt32}, [0, 1, 2], [0]) AS kind
  ) AS told
  WHERE kind = 0 OR name != ''
  GROUP BY kind, entry, channel_, site_, region_, branch_, teller_, name, minute, touch
) AS counted
GROUP BY kind, entry, channel_, site_, region_, branch_, teller_, name
ORDER BY kind, entry, channel_, site_, region_, branch_, teller_, name
LIMIT 20000
