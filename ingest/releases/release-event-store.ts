// The seam between the release events door and whatever keeps the events: ClickHouse, or a list in a test.

import type { ReleaseEventRecord } from '../records/release-event.ts'

export interface ReleaseEventStore {
  /**
   * Keeps events, each (`source`, `id`) once for all time; all of the call or nothing of it.
   *
   * @param records at least one, no two with the same (`source`, `id`)
   * @returns how many were new and how many were known before; together the number given
   * @throws an error whose `retryable` is true when the same call may work later
   */
  add(
    records: readonly ReleaseEventRecord[],
  ): Promise<{ readonly stored: number; readonly duplicates: number }>
}
