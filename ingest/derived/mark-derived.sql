-- Makes a derivation the one that counts. name: the derived table. bucket: s since epoch. derivation: its number, ms
-- since epoch or more. at: ms since epoch, when it began.
INSERT INTO derivations (name, bucket, derivation, at) SETTINGS async_insert = 0
SELECT {name:String}, toDateTime({bucket:UInt32}, 'UTC'), {derivation:UInt64}, fromUnixTimestamp64Milli({at:Int64}, 'UTC')
