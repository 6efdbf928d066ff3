-- Which values of an attribute begin so, most frequent first?
-- key: exactly. prefix, service: '' for all. limit: rows at most. Row: text. Sorted by key: a look-up.
SELECT value AS text
FROM attribute_values
WHERE key = {key:String} AND startsWith(value, {prefix:String}) AND ({service:String} = '' OR service = {service:String})
GROUP BY value
ORDER BY sum(occurrences) DESC, value
LIMIT {limit:UInt32}
