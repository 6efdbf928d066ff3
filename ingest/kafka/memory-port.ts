// The fake side of the Kafka port, for unit tests of the consumer loop: one group with one member, in memory. It
// keeps the promises of kafka-port.ts, and a test decides when partitions come and go and when commits fail.

import {
  KafkaError,
  type AssignedPartition,
  type Committed,
  type KafkaHandlers,
  type KafkaPort,
  type KafkaRecord,
  type TopicPartition,
} from './kafka-port.ts'

export type MemoryRecord =
  string | Buffer | null | Partial<Omit<KafkaRecord, 'topic' | 'partition' | 'offset'>>

export interface MemoryPort extends KafkaPort {
  /** Adds records at the end of a partition and delivers them when it is assigned. A string is a value. */
  append(topic: string, partition: number, records: readonly MemoryRecord[]): void
  /** A rebalance: revokes what is assigned, then assigns these. Resolves when `onAssigned` has. */
  assign(partitions: readonly TopicPartition[]): Promise<void>
  /** A rebalance that leaves this member nothing. */
  revoke(): Promise<void>
  /** The group has moved on without asking: commits are stale at once, then `onRevoked` is called. */
  lose(): Promise<void>
  /** The next `count` commits fail, with SURETY_KAFKA_UNREACHABLE if no other error is given. */
  failCommits(count: number, error?: Error): void
  /** As if an earlier member had committed it. */
  setCommitted(partition: TopicPartition, offset: bigint, metadata: string): void
  /** Every commit that succeeded, oldest first. */
  readonly commits: readonly (TopicPartition & { readonly offset: bigint; readonly metadata: string })[]
  /** How often a batch that was not taken over led to a new assignment. */
  restarts(): number
  /** Resolves when nothing more can be delivered: all is taken over, paused, or unassigned. */
  idle(): Promise<void>
}

export type MemoryPortOptions = {
  /** Records per batch at most. Default: all that are there. */
  readonly batchRecordsMax?: number
}

type PartitionState = AssignedPartition & { position: bigint; paused: boolean; seeks: number }

type Assignment = {
  readonly number: number
  readonly partitions: ReadonlyMap<string, PartitionState>
  readonly revoked: AbortController
  phase: 'assigning' | 'delivering' | 'revoking' | 'over'
}

export function openMemoryPort({ batchRecordsMax = Infinity }: MemoryPortOptions = {}): MemoryPort {
  const logs = new Map<string, KafkaRecord[]>()
  const stored = new Map<string, Committed>()
  const commits: (TopicPartition & { offset: bigint; metadata: string })[] = []
  const running = Promise.withResolvers<KafkaHandlers>()
  let assignment: Assignment | undefined
  let assignments = 0
  let restarts = 0
  let failing: { left: number; readonly error: Error | undefined } = { left: 0, error: undefined }
  let isRunning = false
  let isClosed = false
  let pumping: Promise<void> | undefined
  /** Rebalances happen one after another. */
  let rebalancing: Promise<void> = Promise.resolve()

  function rebalance(partitions: readonly TopicPartition[], isLost = false): Promise<void> {
    rebalancing = rebalancing.then(async () => {
      const handlers = await running.promise
      await revokeNow(handlers, isLost)
      if (!isClosed) await assignNow(handlers, partitions)
    })
    return rebalancing
  }

  async function revokeNow(handlers: KafkaHandlers, isLost: boolean): Promise<void> {
    const leaving = assignment
    if (leaving === undefined || leaving.phase === 'over') return
    leaving.phase = isLost ? 'over' : 'revoking'
    leaving.revoked.abort()
    await handlers.onRevoked(handedOut(leaving))
    leaving.phase = 'over'
  }

  async function assignNow(handlers: KafkaHandlers, partitions: readonly TopicPartition[]): Promise<void> {
    assignments += 1
    const next: Assignment = {
      number: assignments,
      partitions: new Map(
        partitions.map(({ topic, partition }) => [
          keyOf({ topic, partition }),
          {
            topic,
            partition,
            assignment: assignments,
            position: stored.get(keyOf({ topic, partition }))?.offset ?? 0n,
            paused: false,
            seeks: 0,
          },
        ]),
      ),
      revoked: new AbortController(),
      phase: 'assigning',
    }
    assignment = next
    await handlers.onAssigned(handedOut(next))
    next.phase = 'delivering'
    pump()
  }

  function pump(): void {
    pumping ??= deliverAll().finally(() => {
      pumping = undefined
      // Something may have come while the last look was ending.
      if (nextState() !== undefined) pump()
    })
  }

  function nextState(): PartitionState | undefined {
    if (assignment?.phase !== 'delivering') return undefined
    return [...assignment.partitions.values()].find(
      (state) => !state.paused && state.position < BigInt(logs.get(keyOf(state))?.length ?? 0),
    )
  }

  async function deliverAll(): Promise<void> {
    const handlers = await running.promise
    for (let state = nextState(); state !== undefined; state = nextState()) {
      if (assignment !== undefined) await deliver(handlers, assignment, state)
    }
  }

  async function deliver(handlers: KafkaHandlers, owner: Assignment, state: PartitionState): Promise<void> {
    const log = logs.get(keyOf(state)) ?? []
    const first = Number(state.position)
    const records = log.slice(first, Math.min(log.length, first + batchRecordsMax))
    const { topic, partition, seeks } = state
    const isStale = () => owner.revoked.signal.aborted || state.seeks !== seeks
    const revoked = new Promise<'revoked'>((resolve) => {
      owner.revoked.signal.addEventListener('abort', () => resolve('revoked'), { once: true })
    })
    const taking = handlers
      .onBatch({
        topic,
        partition,
        assignment: owner.number,
        records,
        highWatermark: BigInt(log.length),
        heartbeat: () => Promise.resolve(),
        isStale,
      })
      .then(
        () => 'taken' as const,
        () => 'refused' as const,
      )
    const outcome = await Promise.race([taking, revoked])
    if (isStale()) return
    if (outcome === 'taken') {
      state.position = BigInt(first + records.length)
      return
    }
    restarts += 1
    void rebalance(handedOut(owner))
    await rebalancing
  }

  function held(
    partition: TopicPartition & { readonly assignment?: number },
  ): [Assignment, PartitionState] | undefined {
    const state = assignment?.partitions.get(keyOf(partition))
    if (assignment === undefined || state === undefined || assignment.phase === 'over') return undefined
    if (partition.assignment !== undefined && partition.assignment !== assignment.number) return undefined
    return [assignment, state]
  }

  function setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const partition of partitions) {
      const state = held(partition)?.[1]
      if (state !== undefined) state.paused = paused
    }
    if (isRunning && !paused) pump()
  }

  const lag: KafkaPort['lag'] = () => {
    if (assignment === undefined || assignment.phase === 'over') return []
    return [...assignment.partitions.values()].map(({ topic, partition, position, paused, ...state }) => ({
      topic,
      partition,
      assignment: state.assignment,
      highWatermark: BigInt(logs.get(keyOf({ topic, partition }))?.length ?? 0),
      position,
      paused,
    }))
  }

  return {
    run(handlers) {
      if (isRunning) throw new TypeError('a KafkaPort runs once')
      isRunning = true
      running.resolve(handlers)
    },
    commit(partition, offset, metadata) {
      if (isClosed && assignment?.phase === 'over') {
        return Promise.reject(new KafkaError('SURETY_KAFKA_CLOSED', 'Kafka: the port is closed'))
      }
      const [owner, state] = held(partition) ?? []
      if (owner === undefined || state === undefined) return Promise.reject(staleError(partition))
      if (failing.left > 0) {
        failing.left -= 1
        const error = failing.error ?? new KafkaError('SURETY_KAFKA_UNREACHABLE', 'Kafka: no broker answers')
        return Promise.reject(error)
      }
      const { topic, partition: number } = partition
      stored.set(keyOf(partition), { offset, metadata })
      commits.push({ topic, partition: number, offset, metadata })
      if (owner.phase === 'assigning') state.position = offset
      return Promise.resolve()
    },
    committed: (partitions) =>
      Promise.resolve(
        partitions.map(({ topic, partition }) => ({
          topic,
          partition,
          offset: undefined,
          metadata: '',
          ...stored.get(keyOf({ topic, partition })),
        })),
      ),
    seek(partition, offset) {
      const state = held(partition)?.[1]
      if (state === undefined) throw staleError(partition)
      state.position = offset
      state.seeks += 1
      if (isRunning) pump()
    },
    pause: (partitions) => setPaused(partitions, true),
    resume: (partitions) => setPaused(partitions, false),
    paused: () =>
      lag()
        .filter(({ paused }) => paused)
        .map(({ topic, partition, assignment: number }) => ({ topic, partition, assignment: number })),
    lag,
    notReadyReason: () => (assignment === undefined ? 'not yet joined to the consumer group' : undefined),
    async close() {
      isClosed = true
      if (isRunning) await rebalance([])
    },
    append(topic, partition, records) {
      const log = logs.get(keyOf({ topic, partition })) ?? []
      logs.set(keyOf({ topic, partition }), log)
      for (const given of records) log.push(toRecord(topic, partition, BigInt(log.length), given))
      if (isRunning) pump()
    },
    assign: (partitions) => rebalance(partitions),
    revoke: () => rebalance([]),
    lose: () => rebalance([], true),
    failCommits(count, error) {
      failing = { left: count, error }
    },
    setCommitted(partition, offset, metadata) {
      stored.set(keyOf(partition), { offset, metadata })
    },
    commits,
    restarts: () => restarts,
    async idle() {
      for (let quiet: Promise<void> | undefined; quiet !== rebalancing || nextState() !== undefined;) {
        quiet = rebalancing
        await quiet
        await pumping
      }
    },
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

function handedOut({ number, partitions }: Assignment): AssignedPartition[] {
  return [...partitions.values()].map(({ topic, partition }) => ({ topic, partition, assignment: number }))
}

function toRecord(topic: string, partition: number, offset: bigint, given: MemoryRecord): KafkaRecord {
  const parts =
    typeof given === 'string'
      ? { value: Buffer.from(given) }
      : given === null || Buffer.isBuffer(given)
        ? { value: given }
        : given
  return { key: null, value: null, headers: {}, timestampMs: 0, ...parts, topic, partition, offset }
}

function staleError({ topic, partition }: TopicPartition): KafkaError {
  return new KafkaError(
    'SURETY_KAFKA_STALE',
    `Kafka: ${topic}-${partition} is no longer assigned to this member`,
  )
}
