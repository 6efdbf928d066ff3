-- In which versions, and after which releases, were errors seen before?
-- before, to: DateTime('UTC'): seven days. now_from: DateTime('UTC'), minute edge: errors of now, from there to `to`. services: exactly.
-- released, released_at: by release its service, and when it was ready, s since epoch. Row: service, signature (16 hexadecimal digits),
-- versions that had it before now_from, indexes (from 1) of the releases within ten minutes after which it appeared.
SELECT toString(service) AS service_, lower(hex(signature)) AS id, arraySort(groupUniqArrayIf(100)(toString(version), bucket < {now_from:DateTime('UTC')})) AS versions,
  arraySort(groupUniqArrayArray(arrayFilter((place, name, at) -> name = service AND toUnixTimestamp(bucket) + 60 > at AND toUnixTimestamp(bucket) < at + 600,
    arrayEnumerate({released:Array(String)}), {released:Array(String)}, {released_at:Array(UInt32)}))) AS at_releases
FROM error_signatures
WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND bucket >= {before:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live'
  AND (service, signature) IN (
    SELECT service, signature FROM error_signatures
    WHERE service IN (SELECT arrayJoin({services:Array(String)})) AND bucket >= {now_from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} AND traffic = 'live')
GROUP BY service, signature
ORDER BY service_, id
LIMIT 5000
