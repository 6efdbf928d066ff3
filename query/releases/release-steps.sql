-- Which steps of releases came since a time?
-- since: DateTime64(3, 'UTC'), by our clock. limit: rows at most, the newest. Row: one step, instants in ms since epoch.
-- A small table; one identity stored twice by a race is given once.
SELECT source, event_id, tool, kind, change_type, toUnixTimestamp64Milli(at) AS happened, toUnixTimestamp64Milli(received_at) AS received,
  service, target, system, environment, version_from, version_to, artifact, config_hash, vcs_revision, pipeline, actor, ticket,
  release_key, order_id, batch_no, batch_total, replicas_new, replicas_total, scope, parameters, is_reversible, description
FROM release_steps FINAL
WHERE received_at >= {since:DateTime64(3, 'UTC')}
ORDER BY received_at DESC, source, event_id
LIMIT {limit:UInt32}
