-- Who calls whom, by minute: CLIENT and PRODUCER spans by what answered them (the service of their child span) or, where
-- nothing did, by the name of the far side. Derived each minute (ingest/derived/), not by a view: the far side comes later.
CREATE TABLE IF NOT EXISTS service_edges_1m
(
  bucket     DateTime('UTC')        COMMENT 'start of the minute of the calling span, UTC' CODEC(DoubleDelta, ZSTD(1)),
  traffic    LowCardinality(String) COMMENT 'bank.traffic of the caller',
  caller     LowCardinality(String) COMMENT 'service.name of the calling span',
  caller_version LowCardinality(String) COMMENT 'service.version of the calling span',
  callee     LowCardinality(String) COMMENT 'service.name of the answering span; empty when there is none',
  peer       LowCardinality(String) COMMENT 'name of the far side; empty when a service answered',
  slice      UInt16                 COMMENT 'part of the minute, by trace id; a large minute is derived in parts',
  derivation UInt64                 COMMENT 'derivations.derivation' CODEC(Delta(8), ZSTD(1)),
  requests   UInt64                 COMMENT 'calls' CODEC(T64, ZSTD(1)),
  weighted   UInt64                 COMMENT 'calls by spans.weight, thousandths' CODEC(T64, ZSTD(1)),
  bad        UInt64                 COMMENT 'weighted, calls that failed as the caller saw it' CODEC(T64, ZSTD(1)),
  callee_bad UInt64                 COMMENT 'weighted, calls that failed as the callee saw it' CODEC(T64, ZSTD(1)),
  caller_latency AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations of the calls, ns' CODEC(ZSTD(1)),
  callee_latency AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 'durations of the answers, ns' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toDate(bucket)
ORDER BY (bucket, traffic, caller, callee, peer, caller_version, slice)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;
