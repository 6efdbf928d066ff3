-- How big is each table?
-- Row: table, rows, bytes on disk, active parts. Metadata only.
SELECT table, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts
WHERE active AND database = currentDatabase() AND table NOT IN ('schema_migrations')
GROUP BY table
ORDER BY table
