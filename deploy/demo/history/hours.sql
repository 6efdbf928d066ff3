-- Derives the hours of a range from their minutes, as ingest/derived/requests-1h.sql does for one: a day in one statement.
-- from, to: s since epoch, starts of hours, the second one not included. derivation: ms since epoch.
-- Day partitions and the key's time narrow to the range of each service.
INSERT INTO requests_1h
  (service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome, derivation, requests, weighted, duration_ns_sum, latency)
SETTINGS async_insert = 0
SELECT service, toStartOfHour(minutes.bucket) AS hour, operation, version, system, site, zone, cluster, channel, region, traffic, outcome,
  {derivation:UInt64}, sum(requests), sum(weighted), sum(duration_ns_sum), quantilesBFloat16MergeState(0.5, 0.95, 0.99)(latency)
FROM requests_1m AS minutes
WHERE minutes.bucket >= toDateTime({from:UInt32}, 'UTC') AND minutes.bucket < toDateTime({to:UInt32}, 'UTC')
GROUP BY service, hour, operation, version, system, site, zone, cluster, channel, region, traffic, outcome
