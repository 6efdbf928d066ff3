-- Derives one hour of services as wholes from their minutes.
-- from: s since epoch, start of the hour. derivation: that of requests_1h, ms since epoch.
-- Day partitions and the key's time narrow to the hour of each service.
INSERT INTO service_requests_1h
  (service, bucket, version, system, traffic, outcome, derivation, requests, weighted, last_at, latency)
SETTINGS async_insert = 0, max_threads = 1, max_insert_threads = 1
SELECT service, toDateTime({from:UInt32}, 'UTC'), version, system, traffic, outcome,
  {derivation:UInt64}, sum(requests), sum(weighted), max(last_at), quantilesBFloat16MergeState(0.5, 0.95, 0.99)(latency)
FROM service_requests_1m
WHERE bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({from:UInt32}, 'UTC') + INTERVAL 1 HOUR
GROUP BY service, version, system, traffic, outcome
