-- How many spans came since an instant? since: DateTime64(3, 'UTC'). Row: spans. `batches` holds a row an insert.
SELECT sum(rows) AS spans
FROM batches
WHERE at >= {since:DateTime64(3, 'UTC')}
