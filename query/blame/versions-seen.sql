-- Since when do versions of some services serve? from, to: DateTime('UTC'), minute edges. services: exactly. Row: service, versions by the
-- minute they were first seen in, newest first. Live traffic.
SELECT toString(service) AS service_, arrayMap(one -> one.2, arrayReverseSort(groupArray((first_at, version_)))) AS versions
FROM
(
  SELECT service, toString(version) AS version_, min(bucket) AS first_at
  FROM service_requests_1m
  WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
  GROUP BY service, version_
) AS seen
GROUP BY service_
ORDER BY service_
