-- Takes a sample of lately started spans and keeps which attribute values it shows.
-- from, to: DateTime64(3, 'UTC'). sample: one trace in so many. At most 200,000 spans and 50,000 rows.
-- PROMOTED_KEYS and PROMOTED_VALUES are put in by deriver.ts: the attributes that have a column.
INSERT INTO attribute_values (key, service, value, day, occurrences)
SETTINGS async_insert = 0, max_threads = 1, max_insert_threads = 1
SELECT key, service, value, toDate({to:DateTime64(3, 'UTC')}) AS day, count() AS occurrences
FROM
(
  SELECT service, arrayConcat(CAST(attr_k, 'Array(String)'), PROMOTED_KEYS) AS names, arrayConcat(attr_v, PROMOTED_VALUES) AS texts
  FROM spans
  WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND sipHash64(trace_id) % {sample:UInt32} = 0
  LIMIT 200000
)
ARRAY JOIN names AS key, texts AS value
WHERE value != '' AND key != '' AND length(key) <= 128 AND length(value) <= 256
GROUP BY key, service, value
ORDER BY occurrences DESC
LIMIT 100 BY service, key
LIMIT 50000
