// What is published, whatever it tells of: CloudEvents in an order, and how far the publisher is. A feed for changes of SLOs, one for
// faults, one for verdicts on releases.

import type { Database } from '../../query/registry/database.ts'
import { buildKeptLog, LAST, LOGS, type Backlog } from './kept-log.ts'
import type { SloEvent } from './slo-event.ts'
import type { ToldTransition, TransitionFeed } from './transition-feed.ts'

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=UTF-8'

/** As far as every event goes; `data` is its type's. */
export type CloudEvent = {
  readonly specversion: '1.0'
  /** The same however often it is sent. */
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: unknown
}

export type FeedItem = {
  /** Place in the feed. */
  readonly id: number
  /** Events of one key stay in order. */
  readonly key: string
  readonly event: CloudEvent
}

export interface EventFeed {
  /** The next ones; the same again until `moveTo`. */
  next(max: number): Promise<readonly FeedItem[]>
  /** They arrived, this one the last. Never goes back. */
  moveTo(id: number): Promise<void>
  backlog(): Promise<Backlog>
}

export function sloEventFeed(
  feed: TransitionFeed,
  eventsOf: (transitions: readonly ToldTransition[]) => Promise<readonly SloEvent[]>,
): EventFeed {
  return {
    async next(max) {
      const transitions = await feed.next(max)
      if (transitions.length === 0) return []
      const events = await eventsOf(transitions)
      return events.map((event, place) => ({ id: transitions[place]?.id ?? 0, key: event.data.slo, event }))
    },
    moveTo: (id) => feed.moveTo(id),
    backlog: () => feed.backlog(),
  }
}

/** Events that were kept with the decisions they tell. @param name  of the publisher */
export const faultEventFeed = (database: Database, name: string): EventFeed =>
  keptEventFeed(database, name, 'faults', 'fault')

/** Of verdicts on releases. @param name  of the publisher */
export const verdictEventFeed = (database: Database, name: string): EventFeed =>
  keptEventFeed(database, name, 'verdicts', 'release')

function keptEventFeed(
  database: Database,
  name: string,
  kept: 'faults' | 'verdicts',
  key: 'fault' | 'release',
): EventFeed {
  const log = buildKeptLog(database, name, kept)
  const sql = `SELECT id, ${key} AS key, event FROM ${LOGS[kept].table} WHERE id > ${LAST} ORDER BY id LIMIT $2`
  return {
    async next(max) {
      const rows = await log.next(sql, max)
      return rows.map((row) => ({
        id: Number(row['id']),
        key: String(row['key']),
        event: row['event'] as CloudEvent,
      }))
    },
    moveTo: (id) => log.moveTo(id),
    backlog: () => log.backlog(),
  }
}
