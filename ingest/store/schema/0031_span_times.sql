-- Where spans of a time lie: within a service and operation they stand in order of time, so a granule of a busy one covers seconds
-- and a look-up that knows its time leaves out most filters. Spans stored before have no such mark and are looked at.
ALTER TABLE spans ADD INDEX IF NOT EXISTS ts_minmax ts TYPE minmax GRANULARITY 1;
