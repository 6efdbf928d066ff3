import { describe, expect, test } from 'vitest'
import type { AssignedPartition, KafkaBatch, KafkaHandlers } from './kafka-port.ts'
import { openMemoryPort, type MemoryPort } from './memory-port.ts'

const P0 = { topic: 't', partition: 0 }
const P1 = { topic: 't', partition: 1 }

function watch(port: MemoryPort, handlers: Partial<KafkaHandlers> = {}) {
  const seen = {
    events: [] as string[],
    batches: [] as KafkaBatch[],
    assigned: [] as readonly AssignedPartition[],
  }
  port.run({
    async onAssigned(partitions) {
      seen.assigned = partitions
      seen.events.push(`assigned ${partitions.map(({ partition }) => partition).join(' ')}`)
      await handlers.onAssigned?.(partitions)
    },
    async onRevoked(partitions) {
      seen.events.push(`revoked ${partitions.map(({ partition }) => partition).join(' ')}`)
      await handlers.onRevoked?.(partitions)
    },
    async onBatch(batch) {
      seen.events.push(`${batch.partition}: ${batch.records.map(({ value }) => String(value)).join(' ')}`)
      seen.batches.push(batch)
      await handlers.onBatch?.(batch)
    },
  })
  return seen
}

describe('memory port', () => {
  test('records come in order, in batches of the given size, once onAssigned has resolved', async () => {
    const port = openMemoryPort({ batchRecordsMax: 2 })
    const gate = Promise.withResolvers<void>()
    const seen = watch(port, { onAssigned: () => gate.promise })
    port.append('t', 0, ['a', 'b', 'c'])
    const assigned = port.assign([P0])
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen.events).toEqual(['assigned 0'])
    gate.resolve()
    await assigned
    await port.idle()
    expect(seen.events).toEqual(['assigned 0', '0: a b', '0: c'])
    expect(port.lag()).toMatchObject([{ position: 3n, highWatermark: 3n, paused: false }])
  })

  test('a tombstone, a key and a header arrive as given', async () => {
    const port = openMemoryPort()
    const seen = watch(port)
    await port.assign([P0])
    port.append('t', 0, [null, { value: Buffer.from('v'), key: Buffer.from('k'), timestampMs: 7 }])
    await port.idle()
    expect(seen.batches[0]?.records).toEqual([
      { ...P0, offset: 0n, key: null, value: null, headers: {}, timestampMs: 0 },
      { ...P0, offset: 1n, key: Buffer.from('k'), value: Buffer.from('v'), headers: {}, timestampMs: 7 },
    ])
  })

  test('a new assignment starts at the committed offset; a commit or a seek in onAssigned moves it', async () => {
    const port = openMemoryPort()
    port.append('t', 0, ['a', 'b', 'c', 'd'])
    port.append('t', 1, ['x', 'y', 'z'])
    port.setCommitted(P0, 1n, 'intent')
    const found: unknown[] = []
    let round = 0
    const seen = watch(port, {
      async onAssigned(partitions) {
        round += 1
        found.push(...(await port.committed(partitions)))
        if (round === 2) {
          await port.commit(P0, 3n, '')
          port.seek(P1, 2n)
        }
      },
    })
    await port.assign([P0, P1])
    await port.idle()
    await port.assign([P0, P1])
    await port.idle()
    expect(found.slice(0, 2)).toEqual([
      { ...P0, offset: 1n, metadata: 'intent' },
      { ...P1, offset: undefined, metadata: '' },
    ])
    expect(seen.events).toEqual([
      'assigned 0 1',
      '0: b c d',
      '1: x y z',
      'revoked 0 1',
      'assigned 0 1',
      '0: d',
      '1: z',
    ])
  })

  test('commits work until onRevoked has resolved, and are stale afterwards', async () => {
    const port = openMemoryPort()
    const seen = watch(port, {
      onRevoked: async (partitions) => {
        for (const partition of partitions) await port.commit(partition, 5n, 'last')
      },
    })
    await port.assign([P0])
    const [old] = seen.assigned
    await port.revoke()
    await expect(port.commit(P0, 6n, '')).rejects.toMatchObject({
      code: 'SURETY_KAFKA_STALE',
      retryable: false,
    })
    await port.assign([P0])
    await expect(port.commit(old ?? P1, 6n, '')).rejects.toMatchObject({ code: 'SURETY_KAFKA_STALE' })
    expect(port.commits).toEqual([{ ...P0, offset: 5n, metadata: 'last' }])
  })

  test('after a lost membership no commit works, not even in onRevoked', async () => {
    const port = openMemoryPort()
    const codes: unknown[] = []
    watch(port, {
      onRevoked: async () => {
        codes.push(await port.commit(P0, 1n, '').catch((error: unknown) => error))
      },
    })
    await port.assign([P0])
    await port.lose()
    expect(codes).toMatchObject([{ code: 'SURETY_KAFKA_STALE' }])
    expect(port.commits).toEqual([])
  })

  test('commits fail as often as asked, then work', async () => {
    const port = openMemoryPort()
    watch(port)
    await port.assign([P0])
    port.failCommits(2)
    await expect(port.commit(P0, 1n, '')).rejects.toMatchObject({
      code: 'SURETY_KAFKA_UNREACHABLE',
      retryable: true,
    })
    await expect(port.commit(P0, 1n, '')).rejects.toMatchObject({ code: 'SURETY_KAFKA_UNREACHABLE' })
    await port.commit(P0, 1n, '')
    expect(port.commits).toHaveLength(1)
  })

  test('a paused partition waits while others go on, and resumes without a gap', async () => {
    const port = openMemoryPort()
    const seen = watch(port, { onAssigned: () => Promise.resolve(port.pause([P0])) })
    port.append('t', 0, ['a', 'b'])
    port.append('t', 1, ['x'])
    await port.assign([P0, P1])
    await port.idle()
    expect(seen.events).toEqual(['assigned 0 1', '1: x'])
    expect(port.paused()).toMatchObject([P0])
    port.resume([P0])
    await port.idle()
    expect(seen.events.at(-1)).toBe('0: a b')
  })

  test('a batch that was not taken over comes again after a new assignment', async () => {
    const port = openMemoryPort()
    let failures = 2
    const seen = watch(port, {
      onBatch: () => (failures-- > 0 ? Promise.reject(new Error('full')) : Promise.resolve()),
    })
    port.append('t', 0, ['a'])
    await port.assign([P0])
    await port.idle()
    expect(seen.events.filter((event) => event === '0: a')).toHaveLength(3)
    expect(port.restarts()).toBe(2)
  })

  test('a rebalance does not wait for a batch that waits; the batch turns stale', async () => {
    const port = openMemoryPort()
    const seen = watch(port, { onBatch: () => new Promise(() => undefined) })
    port.append('t', 0, ['a'])
    await port.assign([P0])
    expect(seen.batches[0]?.isStale()).toBe(false)
    await port.revoke()
    expect(seen.batches[0]?.isStale()).toBe(true)
    await port.close()
    await expect(port.commit(P0, 1n, '')).rejects.toMatchObject({ code: 'SURETY_KAFKA_CLOSED' })
  })
})
