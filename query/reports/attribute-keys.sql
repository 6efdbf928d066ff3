-- Which attribute keys begin so, most frequent first?
-- prefix, service: '' for all. limit: rows at most. Row: text. A small table, sorted by key.
SELECT key AS text
FROM attribute_values
WHERE startsWith(key, {prefix:String}) AND ({service:String} = '' OR service = {service:String})
GROUP BY key
ORDER BY sum(occurrences) DESC, key
LIMIT {limit:UInt32}
