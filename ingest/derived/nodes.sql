-- Part of other questions: on which node do processes run? from: s since epoch. Row: resource, node. A resource is written again
-- about once a day while it lives.
SELECT res_id, any(if(has(attr_k, 'k8s.node.name'), attr_v[indexOf(attr_k, 'k8s.node.name')], attr_v[indexOf(attr_k, 'host.name')])) AS node
FROM resources
WHERE seen_at >= toDateTime({from:UInt32}, 'UTC') - INTERVAL 3 DAY
GROUP BY res_id
