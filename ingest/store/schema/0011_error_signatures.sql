-- Which errors happen: exceptions recorded in span events, by minute, under a signature that leaves out what differs from
-- one occurrence to the next (numbers, ids, quoted texts). Only spans with events cost anything here.
CREATE TABLE IF NOT EXISTS error_signatures
(
  service       LowCardinality(String) COMMENT 'service.name',
  bucket        DateTime('UTC')        COMMENT 'start of the minute of the span, UTC' CODEC(DoubleDelta, ZSTD(1)),
  version       LowCardinality(String) COMMENT 'service.version',
  traffic       LowCardinality(String) COMMENT 'bank.traffic',
  signature     UInt64                 COMMENT 'sipHash64 of type, message, frame',
  type          SimpleAggregateFunction(min, String) COMMENT 'exception.type' CODEC(ZSTD(1)),
  message       SimpleAggregateFunction(min, String) COMMENT 'exception.message without what differs, 300 bytes at most' CODEC(ZSTD(1)),
  frame         SimpleAggregateFunction(min, String) COMMENT 'top frame of exception.stacktrace; empty when there is none' CODEC(ZSTD(1)),
  occurrences   SimpleAggregateFunction(sum, UInt64) COMMENT 'exception events' CODEC(T64, ZSTD(1)),
  first_at      SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'start of the earliest span' CODEC(Delta(8), ZSTD(1)),
  last_at       SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'start of the latest span' CODEC(Delta(8), ZSTD(1)),
  example_trace SimpleAggregateFunction(max, FixedString(16)) COMMENT 'trace id of one of them' CODEC(NONE)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(bucket)
ORDER BY (service, bucket, version, traffic, signature)
TTL bucket + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1, merge_selector_base = 12;

-- Ids, hexadecimal numbers, quoted texts and numbers become marks, in this order. Of one minute of a service's version the
-- thousand most frequent signatures of a block are kept, so that messages which differ in ways unknown cannot fill the table.
CREATE MATERIALIZED VIEW IF NOT EXISTS error_signatures_mv TO error_signatures AS
SELECT service, bucket, version, traffic, sipHash64(t, m, f) AS signature, t AS type, m AS message, f AS frame,
  count() AS occurrences, min(at) AS first_at, max(at) AS last_at, max(trace_id) AS example_trace
FROM
(
  SELECT service, bucket, version, traffic, at, trace_id, substring(JSONExtractString(event, 'exception.type'), 1, 256) AS t,
    substring(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(
      substring(JSONExtractString(event, 'exception.message'), 1, 1000),
      '\\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\b', '<id>'),
      '"[^"]*"|`[^`]*`|«[^»]*»|“[^”]*”', '<text>'),
      '(^|[^0-9A-Za-z])\'[^\']*\'', '\\1<text>'),
      '\\b(?:0[xX][0-9a-fA-F]+|[0-9a-fA-F]*[0-9][0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*|[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*[0-9][0-9a-fA-F]*)\\b', '<hex>'),
      '[0-9]+(?:[.,:][0-9]+)*', '<n>'), 1, 300) AS m,
    substring(replaceRegexpAll(
      if(position(stack, 'Traceback') > 0, arrayElement(extractAll(stack, 'File "[^"]*", line [0-9]+, in ([^\n]+)'), -1), extract(stack, '(?:^|\n)\\s*at ([^\n(]+)')),
      '[0-9]+', '<n>'), 1, 200) AS f
  FROM
  (
    SELECT service, toStartOfMinute(toDateTime(ts, 'UTC')) AS bucket, version, traffic, toDateTime64(ts, 3, 'UTC') AS at, trace_id,
      event, substring(JSONExtractString(event, 'exception.stacktrace'), 1, 8000) AS stack
    FROM spans
    ARRAY JOIN event_name AS name, event_attr AS event
    WHERE has(event_name, 'exception') AND name = 'exception'
  )
)
GROUP BY service, bucket, version, traffic, t, m, f
ORDER BY occurrences DESC
LIMIT 1000 BY service, bucket, version;
