-- Where failing traces began to fail, by minute: entries that failed, each put down to the deepest span that failed by itself
-- (as query/reports/responsible-span.ts says for one trace). Derived (ingest/derived/). Rows are as many as failures differ.
CREATE TABLE IF NOT EXISTS trace_failures_1m
(
  bucket           DateTime('UTC')        COMMENT 'start of the minute of the entry span, UTC' CODEC(DoubleDelta, ZSTD(1)),
  traffic          LowCardinality(String) COMMENT 'bank.traffic of the entry',
  service          LowCardinality(String) COMMENT 'service.name of the entry',
  operation        LowCardinality(String) COMMENT 'span name of the entry',
  txn_code         LowCardinality(String) COMMENT 'bank.txn.code of the entry',
  environment      LowCardinality(String) COMMENT 'deployment.environment.name of the entry',
  channel          LowCardinality(String) COMMENT 'bank.channel, as in trace_paths_1m',
  site             LowCardinality(String) COMMENT 'bank.site, as in trace_paths_1m',
  region           LowCardinality(String) COMMENT 'bank.region, as in trace_paths_1m',
  branch           LowCardinality(String) COMMENT 'bank.branch, as in trace_paths_1m',
  teller           LowCardinality(String) COMMENT 'bank.teller, as in trace_paths_1m',
  path             LowCardinality(String) COMMENT 'as in trace_paths_1m',
  origin_service   LowCardinality(String) COMMENT 'service.name of the span that failed by itself',
  origin_version   LowCardinality(String) COMMENT 'its service.version',
  origin_operation LowCardinality(String) COMMENT 'its name',
  origin_peer      LowCardinality(String) COMMENT 'name of the far side when it is a call that nothing answered; else empty',
  origin_site      LowCardinality(String) COMMENT 'its bank.site',
  origin_zone      LowCardinality(String) COMMENT 'its cloud.availability_zone',
  origin_cluster   LowCardinality(String) COMMENT 'its k8s.cluster.name',
  origin_node      LowCardinality(String) COMMENT 'its k8s.node.name, else host.name',
  signature        UInt64                 COMMENT 'error_signatures.signature of the last exception it recorded; 0 for none',
  slice            UInt16                 COMMENT 'part of the minute, by trace id',
  derivation       UInt64                 COMMENT 'derivations.derivation' CODEC(Delta(8), ZSTD(1)),
  requests         UInt64                 COMMENT 'failed entries' CODEC(T64, ZSTD(1)),
  weighted         UInt64                 COMMENT 'failed entries by spans.weight, thousandths' CODEC(T64, ZSTD(1)),
  example_trace    FixedString(16)        COMMENT 'trace id of one of them' CODEC(NONE)
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toDate(bucket)
PRIMARY KEY (bucket, traffic, service, operation)
ORDER BY (bucket, traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, path, origin_service, origin_version,
  origin_operation, origin_peer, origin_site, origin_zone, origin_cluster, origin_node, signature, slice)
TTL bucket + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;
