// What `surety doctor` finds out about Kafka: whether a broker answers, the topics, how far the group is behind.

import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaAdmin } from '../../ingest/kafka/kafkajs-admin.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { fail, ok, warn, type Finding } from './finding.ts'

const TIMEOUT_MS = 15_000
const LAG_WARN = 100_000n

export async function kafka(
  brokers: readonly string[],
  groupId: string,
  topics: readonly string[],
): Promise<Finding[]> {
  if (brokers.length === 0) return [ok('kafka', 'not configured (KAFKA_BROKERS)')]
  const admin = openKafkaAdmin({ brokers, clientId: 'surety-doctor', logger: buildLogger('silent') })
  const late = sleep(TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${TIMEOUT_MS / 1000} s`)
  })
  try {
    return await Promise.race([look(), late])
  } catch (error) {
    const text = `${brokers.join(',')}: ${(error as Error).message}`
    return [
      fail(
        'kafka',
        text,
        'Look at the brokers, the network and KAFKA_BROKERS; Surety waits and goes on by itself.',
      ),
    ]
  } finally {
    await admin.close()
  }

  async function look(): Promise<Finding[]> {
    const present = await admin.topics()
    const findings = [ok('kafka', `${brokers.join(',')} answers`)]
    for (const topic of topics) {
      if (!present.has(topic)) {
        findings.push(
          fail(
            'kafka',
            `the topic ${topic} does not exist`,
            `Create it: kafka-topics.sh --bootstrap-server ${brokers[0] ?? ''} --create --topic ${topic}`,
          ),
        )
        continue
      }
      const marks = [...(await admin.watermarks(topic))]
      const committed = await admin.committed(
        groupId,
        marks.map(([partition]) => ({ topic, partition })),
      )
      const lag = marks.reduce(
        (sum, [, { low, high }], index) => sum + high - (committed[index]?.offset ?? low),
        0n,
      )
      const text = `${topic}: ${marks.length} partitions, the group ${groupId} is ${lag} messages behind`
      findings.push(
        lag < LAG_WARN
          ? ok('kafka', text)
          : warn(
              'kafka',
              text,
              'See whether Surety runs and its store keeps up; more partitions and processes share the load.',
            ),
      )
    }
    return findings
  }
}
