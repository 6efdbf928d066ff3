-- Which series has a metric, by labels?
-- metric: name. from: DateTime('UTC'), active since. keys, vals: labels that a series must carry, in the same order; an
-- absent label is the empty text. limit: rows at most.
-- Row: one series, its labels as two arrays. A look-up by the sorting key `metric`.
SELECT toString(series) AS id, toString(kind) AS kind, toString(temporality) AS temporality, is_monotonic, is_overflow, unit,
  arrayConcat(['service.name', 'service.version', 'bank.system', 'deployment.environment.name', 'bank.site',
    'cloud.availability_zone', 'k8s.cluster.name', 'otel.scope.name'], attr_k) AS label_k,
  arrayConcat([service, version, system, environment, site, zone, cluster, scope], attr_v) AS label_v,
  toUnixTimestamp(seen_at) AS last_seen
FROM series FINAL
WHERE metric = {metric:String} AND seen_at >= {from:DateTime('UTC')} - INTERVAL 25 HOUR
  AND arrayAll((k, v) -> label_v[indexOf(label_k, k)] = v, {keys:Array(String)}, {vals:Array(String)})
ORDER BY id
LIMIT {limit:UInt32}
