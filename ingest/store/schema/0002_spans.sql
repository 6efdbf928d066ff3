-- Spans as they came, one row each. Hot attributes are columns (and only columns); what is left stands in
-- attr_k/attr_v; the resource is a hash into `resources`. Sorted for «one service, one operation, newest».
CREATE TABLE IF NOT EXISTS spans
(
  ts             DateTime64(9, 'UTC')    COMMENT 'start, ns; start_time_unix_nano' CODEC(Delta(8), ZSTD(1)),
  duration_ns    UInt64                  COMMENT 'end − start, ns; 0 when the end lies before the start' CODEC(T64, ZSTD(1)),
  service        LowCardinality(String)  COMMENT 'service.name',
  operation      LowCardinality(String)  COMMENT 'span name',
  kind           Int8                    COMMENT '0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer',
  outcome        Enum8('ok' = 1, 'business_reject' = 2, 'business_error' = 3, 'shed' = 4, 'system_error' = 5) COMMENT 'derived at ingest: return-code map, then HTTP/RPC code, then span status',
  status         Int8                    COMMENT 'span status: 0 unset, 1 ok, 2 error',
  trace_id       FixedString(16)         COMMENT '16 raw bytes' CODEC(NONE),
  span_id        FixedString(8)          COMMENT '8 raw bytes' CODEC(NONE),
  parent_id      FixedString(8)          COMMENT '8 raw bytes; zeros for a root' CODEC(ZSTD(1)),
  res_id         UInt64                  COMMENT 'resources.res_id' CODEC(ZSTD(1)),
  batch          UInt64                  COMMENT 'the insert that brought the row: sipHash64 of its deduplication token' CODEC(ZSTD(1)),
  version        LowCardinality(String)  COMMENT 'service.version',
  system         LowCardinality(String)  COMMENT 'bank.system, else service.namespace',
  environment    LowCardinality(String)  COMMENT 'deployment.environment.name',
  site           LowCardinality(String)  COMMENT 'bank.site, else cloud.region',
  zone           LowCardinality(String)  COMMENT 'cloud.availability_zone',
  cluster        LowCardinality(String)  COMMENT 'k8s.cluster.name',
  channel        LowCardinality(String)  COMMENT 'bank.channel',
  region         LowCardinality(String)  COMMENT 'bank.region',
  branch         LowCardinality(String)  COMMENT 'bank.branch',
  teller         LowCardinality(String)  COMMENT 'bank.teller',
  txn_code       LowCardinality(String)  COMMENT 'bank.txn.code',
  return_code    LowCardinality(String)  COMMENT 'bank.return.code',
  txn_id         String                  COMMENT 'bank.txn.id' CODEC(ZSTD(1)),
  traffic        LowCardinality(String)  COMMENT 'bank.traffic; live when absent',
  client_version LowCardinality(String)  COMMENT 'bank.client.version',
  caller         LowCardinality(String)  COMMENT 'bank.caller',
  route          LowCardinality(String)  COMMENT 'http.route',
  http_status    UInt16                  COMMENT 'http.response.status_code; 0 when absent',
  rpc_status     LowCardinality(String)  COMMENT 'rpc.response.status_code or rpc.grpc.status_code as a name',
  peer           LowCardinality(String)  COMMENT 'server.address of the far side',
  status_message String                  COMMENT 'status.message' CODEC(ZSTD(1)),
  trace_state    String                  COMMENT 'W3C tracestate' CODEC(ZSTD(1)),
  scope          LowCardinality(String)  COMMENT 'instrumentation scope name',
  attr_k         Array(LowCardinality(String)) COMMENT 'keys of the attributes that have no column' CODEC(ZSTD(1)),
  attr_v         Array(String)           COMMENT 'their values as text, in the order of attr_k' CODEC(ZSTD(1)),
  event_ns       Array(UInt64)           COMMENT 'span events: time, ns since epoch' CODEC(ZSTD(1)),
  event_name     Array(LowCardinality(String)) COMMENT 'span events: name' CODEC(ZSTD(1)),
  event_attr     Array(String)           COMMENT 'span events: attributes as a JSON object of texts' CODEC(ZSTD(1)),
  INDEX trace_id_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (service, operation, toDateTime(ts))
TTL toDateTime(ts) + INTERVAL 7 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;
