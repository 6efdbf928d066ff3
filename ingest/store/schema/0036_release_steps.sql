-- Steps of releases, made of the events in release_events: one row per (source, event_id), the first wins. Kept as long as they are.
CREATE TABLE IF NOT EXISTS release_steps
(
  source         String                 COMMENT 'source of the event that tells it',
  event_id       String                 COMMENT 'id of that event',
  tool           LowCardinality(String) COMMENT 'who told it: cdevents, github, …',
  kind           LowCardinality(String) COMMENT 'requested, started, step, ready, completed, paused, aborted, failed, rolled_back, removed, noted',
  change_type    LowCardinality(String) COMMENT 'code, config, flag, schema, infra, host_patch, scaling, network, client',
  at             DateTime64(3, 'UTC')   COMMENT 'when it happened, by its sender',
  received_at    DateTime64(3, 'UTC')   COMMENT 'when it came, by our clock',
  service        String                 COMMENT 'service.name as told; may be an alias, may be empty',
  target         String                 COMMENT 'what changes when it is no service: node, host group, table, client application',
  system         LowCardinality(String) COMMENT 'system as told; may be empty',
  environment    LowCardinality(String) COMMENT 'environment as told; may be empty',
  version_from   String                 COMMENT 'version before, as told',
  version_to     String                 COMMENT 'version that goes out, as told',
  artifact       String                 COMMENT 'image, package or purl',
  config_hash    String                 COMMENT 'hash of manifest or configuration',
  vcs_revision   String                 COMMENT 'commit',
  pipeline       String                 COMMENT 'name or address of the run',
  actor          String                 COMMENT 'who did it, as told',
  ticket         String                 COMMENT 'change ticket, as told',
  release_key    String                 COMMENT 'the tool''s own key of one release; steps that share it belong together',
  order_id       String                 COMMENT 'release order it belongs to, as told',
  batch_no       UInt32                 COMMENT '1-based batch of its order; 0 when not told',
  batch_total    UInt32                 COMMENT 'batches of its order; 0 when not told',
  replicas_new   UInt32                 COMMENT 'instances of the new version; 0 when not told',
  replicas_total UInt32                 COMMENT 'instances in all; 0 when not told',
  scope          String                 COMMENT 'ReleaseScope as JSON: selectors, weightPercent' CODEC(ZSTD(1)),
  parameters     String                 COMMENT 'parameters that are set, JSON object of texts' CODEC(ZSTD(1)),
  is_reversible  UInt8                  COMMENT '0: cannot be taken back',
  description    String                 COMMENT 'short text, as told',
  first_wins     UInt64 MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Milli(received_at))) COMMENT 'the earliest row of one identity survives a merge'
)
ENGINE = ReplacingMergeTree(first_wins)
ORDER BY (source, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
