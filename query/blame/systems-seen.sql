-- Which system does a service belong to? from, to: DateTime('UTC'), minute edges. Row: service, system; the one of most requests.
SELECT toString(service) AS service_, argMax(system_, requests_) AS system
FROM
(
  SELECT service, toString(system) AS system_, sum(weighted) AS requests_
  FROM service_requests_1m
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live' AND system != ''
  GROUP BY service, system_
  ORDER BY service, system_
) AS systems
GROUP BY service_
ORDER BY service_
LIMIT 20000
