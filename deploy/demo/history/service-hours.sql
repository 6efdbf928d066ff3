-- Derives the hours of a range of services as wholes, as ingest/derived/service-requests-1h.sql does for one: a day in one statement.
-- from, to: s since epoch, starts of hours, the second one not included. derivation: that of requests_1h, ms since epoch.
-- Day partitions and the key's time narrow to the range of each service.
INSERT INTO service_requests_1h
  (service, bucket, version, system, traffic, outcome, derivation, requests, weighted, last_at, latency)
SETTINGS async_insert = 0
SELECT service, toStartOfHour(minutes.bucket) AS hour, version, system, traffic, outcome,
  {derivation:UInt64}, sum(requests), sum(weighted), max(last_at), quantilesBFloat16MergeState(0.5, 0.95, 0.99)(latency)
FROM service_requests_1m AS minutes
WHERE minutes.bucket >= toDateTime({from:UInt32}, 'UTC') AND minutes.bucket < toDateTime({to:UInt32}, 'UTC')
GROUP BY service, hour, version, system, traffic, outcome
