// Release events from a topic: CloudEvents in Kafka's binary mode (attributes in headers that begin with `ce_`, the data as
// the value) and structured mode (the whole event as JSON). Each (source, id) is stored once, so a record that comes again
// changes nothing; what is no release event becomes a dead letter.
// Source: CloudEvents 1.0.2, Kafka protocol binding.

import type { DeadLetterBox } from '../pipeline/dead-letter-box.ts'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import { JSON_TYPE, parseReleaseEvent } from '../releases/parse-release-event.ts'
import type { ReleaseEventStore } from '../releases/release-event-store.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { KafkaRecord } from './kafka-port.ts'

export const CLOUD_EVENT_FORMAT = 'cloudevent'

export type ReleaseTopicParts = {
  readonly events: ReleaseEventStore
  readonly deadLetters: DeadLetterBox
  readonly clock: Clock
  readonly metrics: Metrics
}

/**
 * @returns a function that stores what one record says; when it resolves the record need not come again
 * @throws StoreError from that function, when the store does not take it for now
 */
export function buildReleaseTopic({ events, deadLetters, clock, metrics }: ReleaseTopicParts) {
  return async (record: KafkaRecord): Promise<void> => {
    const { value } = record
    // A tombstone says that a key is gone, which no release event is.
    if (value === null) return
    const door = 'kafka'
    metrics.bytes.inc({ door }, value.length)
    const parsed = parseReleaseEvent({ headers: headersOf(record), body: value, receivedAt: clock.now() })
    if (parsed.kind === 'refused') {
      const origin = `kafka ${record.topic}/${record.partition}@${record.offset}`
      const detail = parsed.problems
        .map(({ place, message }) => `${place} ${message}`)
        .join('; ')
        .slice(0, 2000)
      metrics.messages.inc({ door, result: 'malformed' })
      // The same record makes the same token: delivered again it makes no second letter.
      await deadLetters.add(
        [{ reason: 'malformed', detail, origin, format: CLOUD_EVENT_FORMAT, payload: value }],
        `${origin}/dead`,
      )
      return
    }
    await events.add(firstOfEach(parsed.records))
    metrics.messages.inc({ door, result: 'stored' })
  }
}

function firstOfEach(records: readonly ReleaseEventRecord[]): ReleaseEventRecord[] {
  const seen = new Map<string, ReleaseEventRecord>()
  for (const record of records) {
    const identity = JSON.stringify([record.source, record.id])
    if (!seen.has(identity)) seen.set(identity, record)
  }
  return [...seen.values()]
}

/** Headers as the parser of requests knows them: `ce_id` is `ce-id` there, and values are percent-encoded. */
function headersOf({ headers }: KafkaRecord): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => {
    const text = value.toString('utf8')
    const lower = name.toLowerCase()
    return lower.startsWith('ce_')
      ? [`ce-${lower.slice('ce_'.length)}`, text.replaceAll('%', '%25')]
      : [lower, text]
  })
  return { 'content-type': JSON_TYPE, ...(Object.fromEntries(named) as Record<string, string>) }
}
