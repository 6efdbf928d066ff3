// The other side of the consumer in tests: writes records, creates topics, looks at groups.

import kafkajs, { type CompressionTypes, type Message, type PartitionAssigner } from 'kafkajs'

export interface KafkaProducer {
  createTopic(topic: string, partitions?: number): Promise<void>
  /** Writes records to one partition, in order; a string stands for a record with that value. */
  send(
    topic: string,
    partition: number,
    records: readonly (string | Buffer | Message)[],
    compression?: CompressionTypes,
  ): Promise<void>
  /** Deletes the records before an offset, as retention does. */
  deleteBefore(topic: string, partition: number, offset: bigint): Promise<void>
  groupMembers(groupId: string): Promise<string[]>
  /** Makes the broker forget a member, as it does after a session timeout. */
  evict(groupId: string, memberId: string): Promise<void>
  close(): Promise<void>
}

export async function openKafkaProducer(brokers: readonly string[]): Promise<KafkaProducer> {
  const kafka = new kafkajs.Kafka({
    clientId: 'test-producer',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
  })
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])

  return {
    async createTopic(topic, partitions = 1) {
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
        waitForLeaders: true,
      })
    },
    async send(topic, partition, records, compression = kafkajs.CompressionTypes.None) {
      const messages = records.map((record) =>
        typeof record === 'string' || Buffer.isBuffer(record)
          ? { value: record, partition }
          : { ...record, partition },
      )
      await producer.send({ topic, messages, compression })
    },
    async deleteBefore(topic, partition, offset) {
      // kafkajs deletes only in topics whose leaders it has asked for before.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
    },
    async groupMembers(groupId) {
      const { groups } = await admin.describeGroups([groupId])
      return groups.flatMap(({ members }) => members.map(({ memberId }) => memberId))
    },
    async evict(groupId, memberId) {
      // kafkajs offers no such call; the connection of a throw-away consumer can make it.
      let cluster: Parameters<PartitionAssigner>[0]['cluster'] | undefined
      const consumer = kafka.consumer({
        groupId,
        partitionAssigners: [
          (config) => {
            cluster = config.cluster
            return kafkajs.PartitionAssigners.roundRobin(config)
          },
        ],
      })
      await consumer.connect()
      await cluster?.refreshMetadata()
      const coordinator = (await cluster?.findGroupCoordinator({ groupId })) as unknown as {
        leaveGroup(request: { groupId: string; memberId: string }): Promise<void>
      }
      await coordinator.leaveGroup({ groupId, memberId })
      await consumer.disconnect()
    },
    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()])
    },
  }
}
