-- Makes a derivation the one that counts. name: the derived table. bucket: s since epoch. derivation: ms since epoch.
INSERT INTO derivations (name, bucket, derivation) SETTINGS async_insert = 0
SELECT {name:String}, toDateTime({bucket:UInt32}, 'UTC'), {derivation:UInt64}
