-- Which paths did the traces of some entries take? from, to: DateTime('UTC'), minute edges. entries: service 1F operation 1F code each.
-- PATHS stands for the rows. Row: path, requests in thousandths; most first, 5,000 at most.
SELECT toString(path) AS path, sum(weighted) AS requests
FROM
(
PATHS
) AS paths
WHERE has({entries:Array(String)}, concat(toString(service), '\x1F', toString(operation), '\x1F', toString(txn_code)))
GROUP BY path
ORDER BY requests DESC, path
LIMIT 5000
