// One membership in a consumer group, from joining to leaving, on one kafkajs consumer. It never restarts
// itself: whatever ends it is told through `ended`, and kafkajs-port.ts opens the next one.
//
// States of the membership, each assignment being one round of the middle part:
//
//   joining ─▶ assigning ─▶ delivering ─▶ revoking ─▶ over ─▶ joining …          ended
//               │ committed offsets are read, `onAssigned` is awaited,
//               │ kafkajs holds every partition paused
//                            │ batches in sequence       │ `onRevoked` is awaited, nothing is delivered,
//                                                        │ commits still work, the group waits for us
//
// kafkajs joins again from several places and tells it only afterwards. All of them first look for the group's
// coordinator, so that is where the membership steps in: the assigner is given the cluster object, and its
// `findGroupCoordinator` waits for the revocation. From the same place come member id and generation, with
// which `commit` speaks to the coordinator itself: kafkajs's own commit would silently do nothing once the
// consumer stops, and repeat under the next generation what belongs to this one.

import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Broker, type Cluster, type EachBatchPayload, type PartitionAssigner } from 'kafkajs'
import { retried, type KafkaAdmin } from './kafkajs-admin.ts'
import { buildKafkaClient, kafkaError, SHORT_RETRY, type KafkaClientOptions } from './kafkajs-client.ts'
import {
  KafkaError,
  type AssignedPartition,
  type KafkaHandlers,
  type KafkaRecord,
  type PartitionLag,
  type TopicPartition,
} from './kafka-port.ts'
import { unreadableOf } from './record-batches.ts'

const OFFSETS_TIMEOUT_MS = 15_000
const COMMIT_TIMEOUT_MS = 10_000
const LEAVE_TIMEOUT_MS = 5_000
const NO_HEADERS: KafkaRecord['headers'] = Object.freeze({})

export type SessionOptions = KafkaClientOptions & {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly revokeTimeoutMs: number
  readonly fetchWaitMs: number
  readonly fetchBytesMax: number
  readonly partitionFetchBytesMax: number
  readonly topicRefreshMs: number
  readonly admin: KafkaAdmin
  readonly handlers: KafkaHandlers
  /** Numbers the assignments; goes on counting over all sessions of a port. */
  readonly nextAssignment: () => number
  /** The member id of a session that may not have left the group; the first join takes its place. */
  readonly formerMemberId: string | undefined
  readonly onJoined: (partitions: readonly AssignedPartition[]) => void
}

export interface Session {
  /** Resolves with what ended the membership; never rejects. Afterwards `close` has to be called. */
  readonly ended: Promise<KafkaError>
  /** Ends the membership for a reason that kafkajs does not see. */
  fail(reason: KafkaError): void
  /** Revokes, leaves the group, disconnects; bounded. After it nothing of this session speaks to Kafka. */
  close(): Promise<void>
  commit(
    partition: TopicPartition & { readonly assignment?: number },
    offset: bigint,
    metadata: string,
  ): Promise<void>
  seek(partition: TopicPartition, offset: bigint): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  lag(): readonly PartitionLag[]
  /** Asks for the high watermarks again; they age while a partition is paused or idle. */
  refreshLag(): Promise<void>
  /** When kafkajs last fetched, joined or had a heartbeat answered; milliseconds since the epoch. */
  lastSignAt(): number
  /** True once a batch was taken over. */
  hasDelivered(): boolean
  memberId(): string | undefined
}

type Phase = 'assigning' | 'delivering' | 'revoking' | 'over'

type PartitionState = AssignedPartition & {
  /** the offset fetched next, as we know it */
  position: bigint
  highWatermark: bigint
  paused: boolean
  seeks: number
  /** the last batch was out of sequence and we sought back to `position` */
  soughtBack: boolean
}

/** What kafkajs's types leave out. */
type JoiningBroker = Broker & {
  joinGroup(request: { readonly memberId: string }): Promise<Membership>
}

type Membership = { readonly generationId: number; readonly memberId: string }

type Assignment = {
  readonly number: number
  readonly membership: Membership
  readonly partitions: ReadonlyMap<string, PartitionState>
  /** aborted when delivery has to end */
  readonly revoked: AbortController
  phase: Phase
  announced: boolean
  assigning: Promise<void>
  revoking: Promise<void> | undefined
}

export function openSession(options: SessionOptions): Session {
  const { admin, handlers, logger, groupId } = options
  const client = buildKafkaClient(options)
  const endedBy = Promise.withResolvers<KafkaError>()
  const closing = new AbortController()
  let formerMemberId = options.formerMemberId
  let hasEnded = false
  let hasCrashed = false
  let delivered = false
  let lastSignAt = Date.now()
  let assignment: Assignment | undefined
  let membership: Membership | undefined
  let coordinator: Broker | undefined
  let findCoordinator: Cluster['findGroupCoordinator'] | undefined

  const consumer = client.kafka.consumer({
    groupId,
    sessionTimeout: options.sessionTimeoutMs,
    rebalanceTimeout: options.rebalanceTimeoutMs,
    heartbeatInterval: options.heartbeatIntervalMs,
    maxBytes: options.fetchBytesMax,
    maxBytesPerPartition: options.partitionFetchBytesMax,
    maxWaitTimeInMs: options.fetchWaitMs,
    metadataMaxAge: options.topicRefreshMs,
    allowAutoTopicCreation: false,
    partitionAssigners: [watchedRoundRobin],
    // kafkajs never restarts itself, so a closed port cannot come back as a zombie member.
    retry: { ...SHORT_RETRY, retries: 5, restartOnFailure: () => Promise.resolve(false) },
  })

  function fail(reason: KafkaError): void {
    if (hasEnded) return
    hasEnded = true
    assignment?.revoked.abort()
    endedBy.resolve(reason)
  }

  // ── Joining ────────────────────────────────────────────────────────────────────────────────────────────────

  function watchedRoundRobin(config: Parameters<PartitionAssigner>[0]): ReturnType<PartitionAssigner> {
    const { cluster } = config
    const find = cluster.findGroupCoordinator.bind(cluster)
    findCoordinator = find
    cluster.findGroupCoordinator = async (group) => {
      if (assignment !== undefined) await revoke(assignment)
      if (hasEnded || closing.signal.aborted) throw closedError()
      coordinator = watchJoin(await find(group))
      return coordinator
    }
    return kafkajs.PartitionAssigners.roundRobin(config)
  }

  const watched = new WeakSet<Broker>()
  function watchJoin(broker: Broker): Broker {
    if (watched.has(broker)) return broker
    watched.add(broker)
    const joining = broker as JoiningBroker
    const join = joining.joinGroup.bind(broker)
    joining.joinGroup = async (request) => {
      // A lost connection leaves our old member in the group, which would wait for it until its session times
      // out. Joining in its name ends that wait; if the broker has forgotten it, kafkajs joins as a new one.
      const memberId = request.memberId === '' ? (formerMemberId ?? '') : request.memberId
      const joined = await join({ ...request, memberId }).catch((error: unknown) => {
        if (kafkaError(error, 'join the group').code === 'SURETY_KAFKA_STALE') formerMemberId = undefined
        throw error
      })
      formerMemberId = undefined
      membership = { generationId: joined.generationId, memberId: joined.memberId }
      return joined
    }
    return broker
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    sign()
    if (hasEnded || membership === undefined) return
    const number = options.nextAssignment()
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, numbers]) =>
      numbers.map((partition) => ({
        topic,
        partition,
        assignment: number,
        position: 0n,
        highWatermark: 0n,
        paused: false,
        seeks: 0,
        soughtBack: false,
      })),
    )
    const next: Assignment = {
      number,
      membership,
      partitions: new Map(partitions.map((state) => [keyOf(state), state])),
      revoked: new AbortController(),
      phase: 'assigning',
      announced: false,
      assigning: Promise.resolve(),
      revoking: undefined,
    }
    // The event is told before the first fetch of this membership, and in step: nothing slips through.
    hold(partitions)
    assignment = next
    next.assigning = assign(next).catch((error: unknown) => fail(kafkaError(error, 'take on the partitions')))
  })

  async function assign(next: Assignment): Promise<void> {
    await findStarts(next)
    if (next.phase !== 'assigning' || hasEnded) return
    options.onJoined(handedOut(next))
    next.announced = true
    try {
      await handlers.onAssigned(handedOut(next))
    } catch (error) {
      throw handlerError('take on its partitions', error)
    }
    if (phaseOf(next) !== 'assigning' || hasEnded) return
    // Always an explicit seek: kafkajs keeps an unused one of an earlier assignment and would follow it now.
    for (const state of next.partitions.values()) seekConsumer(state)
    next.phase = 'delivering'
    release([...next.partitions.values()].filter(({ paused }) => !paused))
  }

  /** Where each partition goes on: at the committed offset, as long as the topic still has it. */
  async function findStarts(next: Assignment): Promise<void> {
    const states = [...next.partitions.values()]
    const topics = [...new Set(states.map(({ topic }) => topic))]
    const { committed, watermarks } = await retried(OFFSETS_TIMEOUT_MS, next.revoked.signal, async () => ({
      committed: states.length === 0 ? [] : await admin.committed(groupId, states),
      watermarks: new Map(
        await Promise.all(topics.map(async (topic) => [topic, await admin.watermarks(topic)] as const)),
      ),
    }))
    for (const [index, state] of states.entries()) {
      const { low, high } = watermarks.get(state.topic)?.get(state.partition) ?? { low: 0n, high: 0n }
      const offset = committed[index]?.offset
      state.highWatermark = high
      state.position = offset === undefined || offset < low || offset > high ? low : offset
      if (offset === undefined || state.position === offset) continue
      const fields = { topic: state.topic, partition: state.partition, committed: offset, low, high }
      const sense =
        offset < low
          ? 'records were deleted by retention before they were read; going on with the oldest kept'
          : 'the committed offset lies behind the end of the topic, which was probably created anew; starting over'
      logger.error(inText(fields), `Kafka: ${sense}`)
    }
  }

  // ── Delivering ─────────────────────────────────────────────────────────────────────────────────────────────

  async function deliver(payload: EachBatchPayload): Promise<void> {
    sign()
    const batch = payload.batch as EachBatchPayload['batch'] & { readonly fetchedOffset?: string }
    const owner = assignment
    const state = owner?.partitions.get(keyOf(batch))
    // Whatever is not resolved below is fetched again when its time has come.
    if (owner === undefined || state === undefined || hasEnded) return
    if (owner.phase !== 'delivering' || state.paused) return
    if (!isInSequence(state, batch.fetchedOffset)) return

    const records = batch.messages.map((message) => toRecord(batch.topic, batch.partition, message))
    const last = batch.messages.at(-1)
    if (last === undefined) return
    state.highWatermark = BigInt(batch.highWatermark)
    const { seeks } = state
    const isStale = () => owner.revoked.signal.aborted || state.seeks !== seeks

    const stop = Promise.withResolvers<'revoked'>()
    const onAbort = () => stop.resolve('revoked')
    owner.revoked.signal.addEventListener('abort', onAbort)
    const heartbeat = async () => {
      try {
        await payload.heartbeat()
      } catch (error) {
        // kafkajs has to see this one to join again. Any other failure shows itself at the next request.
        if (kafkaError(error, 'keep the membership').code === 'SURETY_KAFKA_STALE') {
          stop.reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
    }
    const timer = setInterval(() => void heartbeat(), options.heartbeatIntervalMs)
    const { topic, partition, highWatermark } = state
    const taking = takeOver({
      topic,
      partition,
      assignment: owner.number,
      records,
      highWatermark,
      heartbeat,
      isStale,
    })
    try {
      const outcome = await Promise.race([taking, stop.promise])
      if (outcome !== 'taken' || isStale()) return
      delivered = true
      payload.resolveOffset(last.offset)
      state.position = BigInt(batch.lastOffset()) + 1n
    } finally {
      clearInterval(timer)
      stop.promise.catch(() => undefined)
      owner.revoked.signal.removeEventListener('abort', onAbort)
    }
  }

  async function takeOver(batch: Parameters<KafkaHandlers['onBatch']>[0]): Promise<'taken' | 'refused'> {
    try {
      await handlers.onBatch(batch)
      return 'taken'
    } catch (error) {
      if (batch.isStale()) return 'refused'
      fail(handlerError('take over a batch', error))
      return 'refused'
    }
  }

  /**
   * With several brokers an answer to a fetch of the previous assignment can arrive in this one. Such a batch is
   * dropped and the right place sought; a batch that is again elsewhere was fetched after that and is the truth
   * (kafkajs skips control records, and starts over when retention has overtaken us).
   */
  function isInSequence(state: PartitionState, fetchedOffset: string | undefined): boolean {
    if (fetchedOffset === undefined || BigInt(fetchedOffset) === state.position) {
      state.soughtBack = false
      return true
    }
    if (state.soughtBack) {
      state.soughtBack = false
      state.position = BigInt(fetchedOffset)
      return true
    }
    state.soughtBack = true
    seekConsumer(state)
    return false
  }

  consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
    // Control records only: kafkajs steps over them without calling us.
    if (payload.batchSize > 0 || assignment?.phase !== 'delivering') return
    const state = assignment.partitions.get(keyOf(payload))
    const next = BigInt(payload.lastOffset) + 1n
    if (state !== undefined && next > state.position) state.position = next
  })

  // ── Revoking ───────────────────────────────────────────────────────────────────────────────────────────────

  function revoke(leaving: Assignment): Promise<void> {
    leaving.revoking ??= end()
    return leaving.revoking

    async function end(): Promise<void> {
      leaving.phase = 'revoking'
      leaving.revoked.abort()
      const told = leaving.assigning.then(() =>
        leaving.announced ? handlers.onRevoked(handedOut(leaving)) : undefined,
      )
      try {
        const outcome = await bounded(told, options.revokeTimeoutMs)
        if (outcome === 'late') {
          const fields = { waitedMs: options.revokeTimeoutMs }
          logger.error(fields, 'Kafka: the work in flight did not end in time; the partitions go without it')
        }
      } catch (error) {
        logger.error({ err: error }, 'Kafka: the consumer loop failed to give back its partitions')
      }
      leaving.phase = 'over'
    }
  }

  // ── What the port passes on ────────────────────────────────────────────────────────────────────────────────

  function held(
    partition: TopicPartition & { readonly assignment?: number },
  ): [Assignment, PartitionState] | undefined {
    const state = assignment?.partitions.get(keyOf(partition))
    if (assignment === undefined || state === undefined || assignment.phase === 'over') return undefined
    if (partition.assignment !== undefined && partition.assignment !== assignment.number) return undefined
    return [assignment, state]
  }

  async function commit(
    partition: TopicPartition & { readonly assignment?: number },
    offset: bigint,
    metadata: string,
  ): Promise<void> {
    const owner = held(partition)?.[0]
    if (owner === undefined) throw staleError(partition)
    const request = {
      groupId,
      groupGenerationId: owner.membership.generationId,
      memberId: owner.membership.memberId,
      topics: [
        {
          topic: partition.topic,
          partitions: [{ partition: partition.partition, offset: String(offset), metadata }],
        },
      ],
    }
    let isFirst = true
    await retried(COMMIT_TIMEOUT_MS, closing.signal, async () => {
      if (phaseOf(owner) === 'over' || hasCrashed) throw staleError(partition)
      try {
        const known = isFirst ? coordinator : undefined
        isFirst = false
        const broker = known ?? (await findCoordinator?.({ groupId }))
        if (broker === undefined) throw staleError(partition)
        await broker.offsetCommit(request)
      } catch (error) {
        throw kafkaError(error, `commit ${partition.topic}-${partition.partition} at ${offset}`)
      }
    })
    const state = owner.partitions.get(keyOf(partition))
    if (state !== undefined && owner.phase === 'assigning') state.position = offset
  }

  function seekConsumer({ topic, partition, position }: PartitionState): void {
    consumer.seek({ topic, partition, offset: String(position) })
  }

  function hold(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) consumer.pause(byTopic(partitions))
  }

  function release(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) consumer.resume(byTopic(partitions))
  }

  function setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const partition of partitions) {
      const [owner, state] = held(partition) ?? []
      if (owner === undefined || state === undefined) continue
      state.paused = paused
      if (owner.phase !== 'delivering' || hasEnded) continue
      if (paused) hold([state])
      else release([state])
    }
  }

  function sign(): void {
    lastSignAt = Date.now()
  }

  // ── The life of the consumer ───────────────────────────────────────────────────────────────────────────────

  consumer.on(consumer.events.FETCH_START, sign)
  consumer.on(consumer.events.HEARTBEAT, sign)
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    hasCrashed = true
    fail(kafkaError(payload.error, 'go on consuming'))
  })

  const running = start()
  async function start(): Promise<void> {
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: deliver })
    } catch (error) {
      fail(kafkaError(error, 'join the group'))
    }
  }

  async function close(): Promise<void> {
    fail(closedError())
    // First give back, while commits still work. Only a consumer that has come to run can leave (kafkajs would
    // otherwise go on joining behind our back), so the join that is under way is waited for.
    if (assignment !== undefined) await revoke(assignment)
    closing.abort()
    const left = await bounded(
      running.then(() => consumer.disconnect()),
      LEAVE_TIMEOUT_MS,
    ).catch(() => 'failed' as const)
    if (assignment !== undefined) await revoke(assignment)
    if (left === 'late') {
      logger.warn(
        { waitedMs: LEAVE_TIMEOUT_MS },
        'Kafka: could not leave the group in time; it notices by its session timeout',
      )
    }
    client.cut()
  }

  return {
    ended: endedBy.promise,
    fail,
    close,
    commit,
    seek(partition, offset) {
      const [owner, state] = held(partition) ?? []
      if (owner === undefined || state === undefined) throw staleError(partition)
      state.position = offset
      state.seeks += 1
      state.soughtBack = false
      if (owner.phase === 'delivering' && !hasEnded) seekConsumer(state)
    },
    pause: (partitions) => setPaused(partitions, true),
    resume: (partitions) => setPaused(partitions, false),
    lag() {
      if (assignment === undefined || assignment.phase === 'over') return []
      const { number, partitions } = assignment
      return [...partitions.values()].map(({ topic, partition, highWatermark, position, paused }) => ({
        topic,
        partition,
        assignment: number,
        highWatermark,
        position,
        paused,
      }))
    },
    async refreshLag() {
      const asked = assignment
      if (asked === undefined || asked.phase !== 'delivering') return
      for (const topic of new Set([...asked.partitions.values()].map((state) => state.topic))) {
        const watermarks = await admin.watermarks(topic)
        for (const [partition, { high }] of watermarks) {
          const state = asked.partitions.get(keyOf({ topic, partition }))
          if (state !== undefined && high > state.highWatermark) state.highWatermark = high
        }
      }
    },
    lastSignAt: () => lastSignAt,
    hasDelivered: () => delivered,
    memberId: () => membership?.memberId ?? formerMemberId,
  }
}

// ── Small pure parts ───────────────────────────────────────────────────────────────────────────────────────────

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** Read anew: another part of the session may have moved it while we waited. */
function phaseOf(assignment: Assignment): Phase {
  return assignment.phase
}

function handedOut(assignment: Assignment): AssignedPartition[] {
  return [...assignment.partitions.values()].map(({ topic, partition }) => ({
    topic,
    partition,
    assignment: assignment.number,
  }))
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic)
  return [...topics].map(([topic, members]) => ({
    topic,
    partitions: members.map(({ partition }) => partition),
  }))
}

function toRecord(
  topic: string,
  partition: number,
  { offset, key, value, timestamp, headers }: EachBatchPayload['batch']['messages'][number],
): KafkaRecord {
  const unreadable = unreadableOf(value)
  return {
    topic,
    partition,
    offset: BigInt(offset),
    key,
    value,
    headers: toHeaders(headers),
    timestampMs: Number(timestamp),
    ...(unreadable === undefined ? {} : { unreadable }),
  }
}

function toHeaders(
  headers: EachBatchPayload['batch']['messages'][number]['headers'],
): KafkaRecord['headers'] {
  const entries = Object.entries(headers ?? {})
  if (entries.length === 0) return NO_HEADERS
  const found: Record<string, Buffer> = {}
  for (const [name, given] of entries) {
    const value = Array.isArray(given) ? given.at(-1) : given
    if (value != null) found[name] = typeof value === 'string' ? Buffer.from(value) : value
  }
  return found
}

function inText(fields: Readonly<Record<string, string | number | bigint>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  )
}

async function bounded<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value | 'late'> {
  const over = new AbortController()
  try {
    const late = sleep(timeoutMs, 'late' as const, { signal: over.signal }).catch(() => 'late' as const)
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

function staleError({ topic, partition }: TopicPartition): KafkaError {
  return new KafkaError(
    'SURETY_KAFKA_STALE',
    `Kafka: ${topic}-${partition} is no longer assigned to this member`,
  )
}

function handlerError(doing: string, cause: unknown): KafkaError {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new KafkaError('SURETY_KAFKA_FAILED', `Kafka: the consumer loop could not ${doing}: ${said}`, {
    cause,
  })
}

function closedError(): KafkaError {
  return new KafkaError('SURETY_KAFKA_CLOSED', 'Kafka: the port is closed')
}
