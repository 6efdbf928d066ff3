-- When was a series down: slices in which at least half of the events failed, of at least 20?
-- series, step (s): which; those without groups. from, to: s since epoch, starts of slices. failing_percent: of the events; events_min: in thousandths.
-- Row: series, known slices, the first of them (s since epoch), and beginnings and ends of stretches of failing slices (s since epoch).
SELECT series, known, first, arrayMap(run -> run[1], runs) AS down_from, arrayMap(run -> run[-1] + {step:UInt16}, runs) AS down_to
FROM (
  SELECT series, known, first,
    if(empty(down), [], arraySplit((at, gap) -> gap > {step:UInt16}, down, arrayDifference(down))) AS runs
  FROM (
    SELECT series, countIf(is_known) AS known, minIf(toUnixTimestamp(start), is_known) AS first,
      arraySort(groupArrayIf(toUnixTimestamp(start), is_known AND total >= {events_min:UInt64} AND (total - good) * 100 >= total * {failing_percent:UInt8})) AS down
    FROM sli_slices FINAL
    WHERE series IN {series:Array(String)} AND step = {step:UInt16} AND slo_group = ''
      AND start >= toDateTime({from:UInt32}, 'UTC') AND start < toDateTime({to:UInt32}, 'UTC')
    GROUP BY series
  )
)
ORDER BY series
LIMIT 100000
