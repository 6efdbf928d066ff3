-- Makes derivations of the hours of a range the ones that count, as ingest/derived/mark-derived.sql does for one.
-- from, to: s since epoch, starts of hours, the second one not included. derivation: ms since epoch.
INSERT INTO derivations (name, bucket, derivation) SETTINGS async_insert = 0
SELECT 'requests_1h', toDateTime({from:UInt32} + 3600 * number, 'UTC'), {derivation:UInt64}
FROM numbers(intDiv({to:UInt32} - {from:UInt32}, 3600))
