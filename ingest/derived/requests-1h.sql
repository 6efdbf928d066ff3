-- Derives one hour of requests from its minutes, or one slice of it: all rows of an operation of a service are in the same one.
-- from: s since epoch, start of the hour. derivation: ms since epoch. slice: 0 to slices - 1.
-- Day partitions and the key's time narrow to the hour of each service.
INSERT INTO requests_1h
  (service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome, derivation, requests, weighted, duration_ns_sum, latency)
SETTINGS async_insert = 0, max_threads = 1, max_insert_threads = 1
SELECT service, toDateTime({from:UInt32}, 'UTC'), operation, version, system, site, zone, cluster, channel, region, traffic, outcome,
  {derivation:UInt64}, sum(requests), sum(weighted), sum(duration_ns_sum), quantilesBFloat16MergeState(0.5, 0.95, 0.99)(latency)
FROM requests_1m
WHERE bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({from:UInt32}, 'UTC') + INTERVAL 1 HOUR
  AND cityHash64(service, operation) % {slices:UInt32} = {slice:UInt32}
GROUP BY service, operation, version, system, site, zone, cluster, channel, region, traffic, outcome
