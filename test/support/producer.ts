// Puts values on a topic, as the OpenTelemetry Collector's Kafka exporter would.

import { Kafka, logLevel } from 'kafkajs'

export type TestProducer = {
  /** @returns when the broker has them all */
  send(topic: string, values: readonly (Buffer | null)[], partition?: number): Promise<void>
  close(): Promise<void>
}

export async function openProducer(brokers: readonly string[]): Promise<TestProducer> {
  const kafka = new Kafka({ clientId: 'test-producer', brokers: [...brokers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  return {
    async send(topic, values, partition = 0) {
      await producer.send({ topic, messages: values.map((value) => ({ value, partition })) })
    },
    close: () => producer.disconnect(),
  }
}
