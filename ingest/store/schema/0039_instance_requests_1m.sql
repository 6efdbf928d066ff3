-- Requests by where they were served, by minute, and which of them failed, or took their time, by themselves: what a place or a
-- node does wrong whatever version runs there. Live traffic alone. Derived (ingest/derived/). Also tells when which version served where.
CREATE TABLE IF NOT EXISTS instance_requests_1m
(
  bucket          DateTime('UTC')        COMMENT 'start of the minute of the request, UTC' CODEC(DoubleDelta, ZSTD(1)),
  service         LowCardinality(String) COMMENT 'service.name',
  version         LowCardinality(String) COMMENT 'service.version',
  environment     LowCardinality(String) COMMENT 'deployment.environment.name',
  system          LowCardinality(String) COMMENT 'bank.system, else service.namespace',
  site            LowCardinality(String) COMMENT 'bank.site',
  zone            LowCardinality(String) COMMENT 'cloud.availability_zone',
  cluster         LowCardinality(String) COMMENT 'k8s.cluster.name',
  node            LowCardinality(String) COMMENT 'k8s.node.name, else host.name, of the resource',
  slice           UInt16                 COMMENT 'part of the minute, by trace id',
  derivation      UInt64                 COMMENT 'derivations.derivation' CODEC(Delta(8), ZSTD(1)),
  requests        UInt64                 COMMENT 'requests' CODEC(T64, ZSTD(1)),
  weighted        UInt64                 COMMENT 'requests by spans.weight, thousandths' CODEC(T64, ZSTD(1)),
  bad             UInt64                 COMMENT 'weighted, failed while no call of that process within the trace did' CODEC(T64, ZSTD(1)),
  first_s         UInt8                  COMMENT 'second of the minute of the first request',
  last_s          UInt8                  COMMENT 'second of the minute of the last request',
  own_buckets     Array(UInt8)           COMMENT 'durations less those of the calls the process made within the trace, 16 buckets a decade as in trace_paths_1m' CODEC(ZSTD(1)),
  own_weights     Array(UInt64)          COMMENT 'weighted, by bucket' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toDate(bucket)
PRIMARY KEY (bucket, service)
ORDER BY (bucket, service, version, environment, system, site, zone, cluster, node, slice)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;

-- What the far side of a call is, where nothing of ours answered: of the calls' own attributes. Beside the above because both tell a fault of
-- a place or a peer from one of a release.
ALTER TABLE service_edges_1m ADD COLUMN IF NOT EXISTS peer_kind LowCardinality(String) DEFAULT '' COMMENT 'database (db.system.name), queue (messaging.* or PRODUCER), external; empty when a service answered, or before it was kept' AFTER peer;
