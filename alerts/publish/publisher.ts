// Sends transitions to Kafka in their order, each at least once: a batch is read after the publisher's row, sent, acknowledged by every
// in-sync replica, and then the row moves. What happens between the last two is sent again, under the same id.
//
// States: waiting (another process leads, or nothing is new) → sending → moved, or held up (Kafka does not take it) and again from its row.

import type { Logger } from '../../ingest/runtime/logger.ts'
import type { ProducePort } from '../../ingest/kafka/produce.ts'
import { CLOUD_EVENT_TYPE, type SloEvent } from './slo-event.ts'
import type { PublishMetrics } from './publish-metrics.ts'
import type { ToldTransition, TransitionFeed } from './transition-feed.ts'

const BATCH_MAX = 200

export type PublisherParts = {
  readonly feed: TransitionFeed
  readonly port: Pick<ProducePort, 'send'>
  readonly topic: string
  readonly eventsOf: (transitions: readonly ToldTransition[]) => Promise<readonly SloEvent[]>
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
  const { feed, port, topic, eventsOf, isLeading, metrics, logger, now } = parts
  let reason: string | undefined
  let waiting = 0

  async function sendBatch(transitions: readonly ToldTransition[]): Promise<boolean> {
    const events = await eventsOf(transitions)
    // Together, so that they go in few requests; they are written in this order.
    const answers = await Promise.all(
      events.map((event) =>
        port.send({
          topic,
          key: event.data.slo,
          value: Buffer.from(JSON.stringify(event)),
          headers: { 'content-type': CLOUD_EVENT_TYPE },
        }),
      ),
    )
    // What came after one that did not arrive is sent again behind it.
    const failed = answers.findIndex(({ kind }) => kind !== 'acknowledged')
    const arrived = failed < 0 ? transitions.length : failed
    const last = transitions[arrived - 1]
    if (last !== undefined) await feed.moveTo(last.id)
    for (const { type } of events.slice(0, arrived)) metrics.published.inc({ type })
    const answer = answers[failed]
    if (answer === undefined || answer.kind === 'acknowledged') return true
    metrics.failures.inc()
    if (reason === undefined)
      logger.warn({ topic }, `${answer.message}; SLO events wait in their order and are sent then`)
    reason = answer.message
    return false
  }

  async function tellBacklog(): Promise<void> {
    const { count, oldestAtMs } = await feed.backlog()
    waiting = count
    metrics.waiting.set(count)
    metrics.oldestSeconds.set(oldestAtMs === undefined ? 0 : Math.max(0, (now() - oldestAtMs) / 1000))
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
      for (;;) {
        const transitions = await feed.next(BATCH_MAX)
        if (transitions.length === 0) break
        if (!(await sendBatch(transitions))) {
          await tellBacklog()
          return false
        }
        if (reason !== undefined) logger.info({ topic }, 'Kafka takes SLO events again')
        reason = undefined
        if (transitions.length < BATCH_MAX || !isLeading()) break
      }
      await tellBacklog()
      return true
    },
    heldUp: () =>
      reason === undefined || waiting === 0
        ? undefined
        : `${waiting} SLO events wait for the topic ${topic}: ${reason}`,
  }
}
