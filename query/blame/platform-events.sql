-- What did platforms say? from, to: DateTime64(3, 'UTC'). limit: the newest so many. Row: ms since 1970, kind, name, service, zone, node.
SELECT toUnixTimestamp64Milli(ts) AS at, toString(kind) AS kind_, toString(name) AS name_, toString(service) AS service_, toString(zone) AS zone_,
  toString(node) AS node_
FROM events
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND kind != 'other'
ORDER BY ts DESC, name_, service_, zone_, node_
LIMIT {limit:UInt32}
