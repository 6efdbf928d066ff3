-- When a derivation began, beside its number: where the clock was set back, the next number still follows the last one, and
-- a derivation from a time to come is known as such.
ALTER TABLE derivations ADD COLUMN IF NOT EXISTS at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(toInt64(derivation), 'UTC') COMMENT 'when it began, by the clock of that time' CODEC(Delta(8), ZSTD(1));
