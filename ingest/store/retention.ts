// How long each table keeps its rows. The schema carries the defaults; what the deployment asks for is put in
// place at start, and only where it differs, because a part carries its end with it: the engine then writes it
// anew for what is stored already, without which old rows would keep the old retention.

import { METRIC_TABLES } from './insert-metrics.ts'
import type { MigrationTarget } from './migrate.ts'

/** Days kept, by table. */
export type Retention = {
  readonly spansDays: number
  readonly requests10sDays: number
  readonly requests1mDays: number
  readonly requests1hDays: number
  readonly deadLettersDays: number
  readonly metricsDays: number
  readonly eventsDays: number
}

export const DEFAULT_RETENTION: Retention = {
  spansDays: 7,
  requests10sDays: 14,
  requests1mDays: 90,
  requests1hDays: 400,
  deadLettersDays: 30,
  metricsDays: 30,
  eventsDays: 90,
}

const rules = (retention: Retention) => [
  { table: 'spans', column: 'toDateTime(ts)', days: retention.spansDays },
  { table: 'trace_roots', column: 'started_at', days: retention.spansDays },
  { table: 'requests_10s', column: 'bucket', days: retention.requests10sDays },
  { table: 'requests_1m', column: 'bucket', days: retention.requests1mDays },
  { table: 'service_requests_1m', column: 'bucket', days: retention.requests1mDays },
  { table: 'error_signatures', column: 'bucket', days: retention.requests1mDays },
  { table: 'service_edges_1m', column: 'bucket', days: retention.requests1mDays },
  { table: 'trace_paths_1m', column: 'bucket', days: retention.requests10sDays },
  { table: 'trace_failures_1m', column: 'bucket', days: retention.requests10sDays },
  { table: 'instance_requests_1m', column: 'bucket', days: retention.requests1mDays },
  { table: 'requests_1h', column: 'bucket', days: retention.requests1hDays },
  { table: 'service_requests_1h', column: 'bucket', days: retention.requests1hDays },
  { table: 'derivations', column: 'bucket', days: retention.requests1hDays },
  { table: 'sli_slices', column: 'start', days: retention.requests1hDays },
  { table: 'slo_figures', column: 'toDateTime(judged_at)', days: retention.requests1hDays },
  { table: 'attribute_values', column: 'day', days: retention.spansDays },
  { table: 'dead_letter_replays', column: 'toDateTime(at)', days: retention.deadLettersDays },
  { table: 'dead_letters', column: 'toDateTime(at)', days: retention.deadLettersDays },
  ...METRIC_TABLES.map((table) => ({ table, column: 'toDateTime(ts)', days: retention.metricsDays })),
  { table: 'events', column: 'toDateTime(ts)', days: retention.eventsDays },
  // A series is written down once a day and outlives its last sample.
  { table: 'series', column: 'seen_at', days: retention.metricsDays + 2 },
]

/** @returns what is not as asked for, in the order of the tables */
export async function retentionDifferences(target: Pick<MigrationTarget, 'rows'>, retention: Retention) {
  const rows = await target.rows(
    "SELECT name, extract(create_table_query, 'TTL .*?toIntervalDay\\\\((\\\\d+)\\\\)') AS days FROM system.tables WHERE database = currentDatabase()",
  )
  const current = new Map(rows.map((row) => [String(row['name']), Number(row['days'])]))
  return rules(retention)
    .filter(({ table, days }) => current.get(table) !== days)
    .map((rule) => ({ ...rule, current: current.get(rule.table) }))
}

/** @returns the tables whose retention was changed */
export async function applyRetention(target: MigrationTarget, retention: Retention): Promise<string[]> {
  const differences = await retentionDifferences(target, retention)
  for (const { table, column, days } of differences) {
    // Only the ends are written anew; rows stay where they are until their part is dropped or merged.
    await target.command(`ALTER TABLE ${table} MODIFY SETTING materialize_ttl_recalculate_only = 1`)
    await target.command(
      `ALTER TABLE ${table} MODIFY TTL ${column} + INTERVAL ${days} DAY SETTINGS materialize_ttl_after_modify=1`,
    )
  }
  return differences.map(({ table }) => table)
}
