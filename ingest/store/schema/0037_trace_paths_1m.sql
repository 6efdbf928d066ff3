-- What customers' requests met, by minute: entries (where a trace comes in) by who asked, by the services and versions their traces
-- touched, and how they ended. Derived (ingest/derived/): the spans of a trace come late and in pieces.
-- Paths are few and long: as a dictionary they are stored once a part, and asked once for each distinct one.
CREATE TABLE IF NOT EXISTS trace_paths_1m
(
  bucket          DateTime('UTC')        COMMENT 'start of the minute of the entry span, UTC' CODEC(DoubleDelta, ZSTD(1)),
  traffic         LowCardinality(String) COMMENT 'bank.traffic of the entry',
  service         LowCardinality(String) COMMENT 'service.name of the entry',
  operation       LowCardinality(String) COMMENT 'span name of the entry',
  txn_code        LowCardinality(String) COMMENT 'bank.txn.code of the entry',
  environment     LowCardinality(String) COMMENT 'deployment.environment.name of the entry',
  channel         LowCardinality(String) COMMENT 'bank.channel of the entry, else of the first span of its trace that has one',
  site            LowCardinality(String) COMMENT 'bank.site, likewise',
  region          LowCardinality(String) COMMENT 'bank.region, likewise',
  branch          LowCardinality(String) COMMENT 'bank.branch, likewise',
  teller          LowCardinality(String) COMMENT 'bank.teller, likewise',
  client_version  LowCardinality(String) COMMENT 'bank.client.version of the entry',
  caller          LowCardinality(String) COMMENT 'bank.caller of the entry',
  path            LowCardinality(String) COMMENT 'services and versions the trace touched, sorted, 200 at most: 1E service 1F version 1E service 1F version … 1E (control characters)',
  slice           UInt16                 COMMENT 'part of the minute, by trace id; a large minute is derived in parts',
  derivation      UInt64                 COMMENT 'derivations.derivation' CODEC(Delta(8), ZSTD(1)),
  requests        UInt64                 COMMENT 'entries' CODEC(T64, ZSTD(1)),
  weighted        UInt64                 COMMENT 'entries by spans.weight, thousandths; so are the outcomes' CODEC(T64, ZSTD(1)),
  system_error    UInt64                 COMMENT 'entries with this outcome' CODEC(T64, ZSTD(1)),
  business_error  UInt64                 COMMENT 'entries with this outcome' CODEC(T64, ZSTD(1)),
  shed            UInt64                 COMMENT 'entries with this outcome' CODEC(T64, ZSTD(1)),
  business_reject UInt64                 COMMENT 'entries with this outcome' CODEC(T64, ZSTD(1)),
  latency_buckets Array(UInt8)           COMMENT 'durations of the entries, 16 buckets a decade: bucket b holds 10^(b/16) to 10^((b+1)/16) ns' CODEC(ZSTD(1)),
  latency_weights Array(UInt64)          COMMENT 'weighted, by bucket' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(derivation)
PARTITION BY toDate(bucket)
PRIMARY KEY (bucket, traffic, service, operation)
ORDER BY (bucket, traffic, service, operation, txn_code, environment, channel, site, region, branch, teller, client_version, caller, path, slice)
TTL bucket + INTERVAL 14 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1;
