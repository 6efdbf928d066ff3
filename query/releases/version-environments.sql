-- In which environments do versions of services run?
-- since: DateTime('UTC'); a resource that lives is written again about once a day. Row: service, version, environment.
-- A small table.
SELECT service, version, environment
FROM (
  SELECT service, attr_v[indexOf(attr_k, 'service.version')] AS version,
    attr_v[indexOf(attr_k, if(has(attr_k, 'deployment.environment.name'), 'deployment.environment.name', 'deployment.environment'))] AS environment
  FROM resources
  WHERE seen_at >= {since:DateTime('UTC')}
)
GROUP BY service, version, environment
ORDER BY service, version, environment
LIMIT 50000
