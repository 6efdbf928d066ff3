// Sends events to Kafka in their order, each at least once: a batch is read after the publisher's row, sent, acknowledged by every
// in-sync replica, and then the row moves. What happens between the last two is sent again, under the same id.
//
// States: waiting (another process leads, or nothing is new) → sending → moved, or held up (Kafka does not take it) and again from its row.

import type { Logger } from '../../ingest/runtime/logger.ts'
import type { ProducePort } from '../../ingest/kafka/produce.ts'
import { CLOUD_EVENT_TYPE, type EventFeed, type FeedItem } from './event-feed.ts'
import type { PublishMetrics } from './publish-metrics.ts'

const BATCH_MAX = 200

export type PublisherParts = {
  /** Each keeps its own order; none waits for another but for the topic. */
  readonly feeds: readonly EventFeed[]
  readonly port: Pick<ProducePort, 'send'>
  readonly topic: string
  readonly isLeading: () => boolean
  readonly metrics: PublishMetrics
  readonly logger: Logger
  readonly now: () => number
}

export interface Publisher {
  /** Sends what there is. Resolves false while Kafka holds it up. @throws what the registry or the store throws */
  round(): Promise<boolean>
  /** Why events wait; undefined while none does. */
  heldUp(): string | undefined
}

export function buildPublisher(parts: PublisherParts): Publisher {
  const { feeds, port, topic, isLeading, metrics, logger, now } = parts
  let reason: string | undefined
  let waiting = 0

  async function sendBatch(feed: EventFeed, items: readonly FeedItem[]): Promise<boolean> {
    // Together, so that they go in few requests; they are written in this order.
    const answers = await Promise.all(
      items.map(({ key, event }) =>
        port.send({
          topic,
          key,
          value: Buffer.from(JSON.stringify(event)),
          headers: { 'content-type': CLOUD_EVENT_TYPE },
        }),
      ),
    )
    // What came after one that did not arrive is sent again behind it.
    const failed = answers.findIndex(({ kind }) => kind !== 'acknowledged')
    const arrived = items.slice(0, failed < 0 ? items.length : failed)
    const last = arrived.at(-1)
    if (last !== undefined) await feed.moveTo(last.id)
    for (const { event } of arrived) metrics.published.inc({ type: event.type })
    const answer = answers[failed]
    if (answer === undefined || answer.kind === 'acknowledged') return true
    metrics.failures.inc()
    if (reason === undefined)
      logger.warn({ topic }, `${answer.message}; events wait in their order and are sent then`)
    reason = answer.message
    return false
  }

  /** @returns false when Kafka does not take them */
  async function sendAll(feed: EventFeed): Promise<boolean> {
    for (;;) {
      const items = await feed.next(BATCH_MAX)
      if (items.length === 0) return true
      if (!(await sendBatch(feed, items))) return false
      if (reason !== undefined) logger.info({ topic }, 'Kafka takes events again')
      reason = undefined
      if (items.length < BATCH_MAX || !isLeading()) return true
    }
  }

  async function tellBacklog(): Promise<void> {
    const backlogs = await Promise.all(feeds.map((feed) => feed.backlog()))
    waiting = backlogs.reduce((sum, { count }) => sum + count, 0)
    const oldest = backlogs.flatMap(({ oldestAtMs }) => (oldestAtMs === undefined ? [] : [oldestAtMs]))
    metrics.waiting.set(waiting)
    metrics.oldestSeconds.set(oldest.length === 0 ? 0 : Math.max(0, (now() - Math.min(...oldest)) / 1000))
  }

  return {
    async round() {
      if (!isLeading()) {
        waiting = 0
        reason = undefined
        metrics.waiting.set(0)
        metrics.oldestSeconds.set(0)
        return true
      }
      let isTaken = true
      for (const feed of feeds) isTaken = isTaken && (await sendAll(feed))
      await tellBacklog()
      return isTaken
    },
    heldUp: () =>
      reason === undefined || waiting === 0
        ? undefined
        : `${waiting} events wait for the topic ${topic}: ${reason}`,
  }
}
