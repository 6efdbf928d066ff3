-- Finding spans by what people have in their hand: a transaction number, a user, an order. The filters skip all but a
-- few granules; whether a span really carries the value is then read from its columns. Spans stored before have no
-- filter for their transaction number and are read; of allow-listed keys only spans stored from now on are found.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS search_items Array(UInt64) COMMENT 'sipHash64(key, value) of attributes in SURETY_SEARCH_KEYS' CODEC(ZSTD(1));
ALTER TABLE spans ADD INDEX IF NOT EXISTS search_items_bloom search_items TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE spans ADD INDEX IF NOT EXISTS txn_id_bloom txn_id TYPE bloom_filter(0.01) GRANULARITY 1;
