// The real side of the Kafka port, on kafkajs. This file keeps one membership going: it waits for topics, opens
// a session (kafkajs-session.ts), and opens the next one when that ended, until `close`. What flows through a
// session, and how records are turned, lives there.
//
// States of the port: waiting (for a broker or a topic) ⇄ member → closed.

import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaAdmin, retried } from './kafkajs-admin.ts'
import { kafkaError, type KafkaClientOptions } from './kafkajs-client.ts'
import { openSession, type Session } from './kafkajs-session.ts'
import { KafkaError, type KafkaHandlers, type KafkaPort, type TopicPartition } from './kafka-port.ts'

const MIB = 1024 * 1024
const COMMITTED_TIMEOUT_MS = 15_000
const BACKOFF_MS_MIN = 500
const BACKOFF_MS_MAX = 5_000
const REMINDER_INTERVAL_MS = 60_000
const LAG_REFRESH_INTERVAL_MS = 10_000
/** Without any sign of life for this long beyond the group's own time limits, a membership counts as hung. */
const SILENCE_MARGIN_MS = 30_000
/** A clock that is set back by this part of the session timeout ends the membership; looked at more often than that. */
const CLOCK_TOLERANCE = 0.25
const CLOCK_LOOK = 0.1

export type KafkajsPortOptions = KafkaClientOptions & {
  readonly groupId: string
  readonly topics: readonly string[]
  /** Of these: topics whose absence is told and waited for, and still leaves the door ready. */
  readonly optionalTopics?: readonly string[]
  /** The group takes a silent member's partitions away after this. Default 30 s. */
  readonly sessionTimeoutMs?: number
  /** The group waits this long for members to join again. Default 60 s. */
  readonly rebalanceTimeoutMs?: number
  /** Default: a tenth of the session timeout. */
  readonly heartbeatIntervalMs?: number
  /** How long `onRevoked` may take; below the session timeout. Default: a third of it, at most 10 s. */
  readonly revokeTimeoutMs?: number
  /** A fetch without new records is answered after this; also the delay of `resume` and `close`. Default 500 ms. */
  readonly fetchWaitMs?: number
  /** One answer to a fetch, over all partitions of a broker. Default 64 MiB. */
  readonly fetchBytesMax?: number
  /** The share of one partition in it; a larger record still comes, alone. Default 16 MiB. */
  readonly partitionFetchBytesMax?: number
  /** Partitions that were added to a topic are seen after this. Default 60 s. */
  readonly topicRefreshMs?: number
  /** How often a missing topic is looked for. Default 2 s. */
  readonly topicPollMs?: number
}

export function openKafkajsPort(options: KafkajsPortOptions): KafkaPort {
  const { logger, groupId, topics } = options
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 30_000
  const rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 60_000
  const topicPollMs = options.topicPollMs ?? 2_000
  const admin = openKafkaAdmin(options)
  const closing = new AbortController()
  const untilClosing = new Promise<undefined>((resolve) => {
    closing.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  let session: Session | undefined
  let supervising: Promise<void> | undefined
  let closed: Promise<void> | undefined
  let assignments = 0
  let notReady: string | undefined = 'not yet joined to the consumer group'
  let missingTold = ''
  let requiredMissing = false
  let outage: { readonly sinceAt: number; toldAt: number } | undefined

  function open(present: readonly string[], handlers: KafkaHandlers): Session {
    return openSession({
      ...options,
      topics: present,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? Math.max(100, Math.floor(sessionTimeoutMs / 10)),
      revokeTimeoutMs: options.revokeTimeoutMs ?? Math.min(10_000, Math.floor(sessionTimeoutMs / 3)),
      fetchWaitMs: options.fetchWaitMs ?? 500,
      fetchBytesMax: options.fetchBytesMax ?? 64 * MIB,
      partitionFetchBytesMax: options.partitionFetchBytesMax ?? 16 * MIB,
      topicRefreshMs: options.topicRefreshMs ?? 60_000,
      admin,
      handlers,
      formerMemberId: session?.memberId(),
      nextAssignment: () => (assignments += 1),
      onJoined(partitions) {
        const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`)
        if (outage !== undefined) {
          logger.info({ downMs: Math.round(performance.now() - outage.sinceAt) }, 'Kafka: consuming again')
        }
        outage = undefined
        if (!requiredMissing) notReady = undefined
        logger.info(
          { groupId, count: names.length, partitions: names.slice(0, 20) },
          'Kafka: partitions assigned',
        )
      },
    })
  }

  async function supervise(handlers: KafkaHandlers): Promise<void> {
    let failures = 0
    while (!closing.signal.aborted) {
      const end = await once(handlers).catch((error: unknown) => ({
        error: kafkaError(error, 'consume'),
        progressed: false,
      }))
      if (closing.signal.aborted) return
      if (end === 'again') continue
      failures = end.progressed ? 1 : failures + 1
      const backoffMs = backoff(failures)
      tellFailure(end.error, backoffMs)
      await pauseFor(backoffMs)
    }
  }

  /** One attempt: look for the topics, be a member for as long as it goes. */
  async function once(
    handlers: KafkaHandlers,
  ): Promise<'again' | { readonly error: KafkaError; readonly progressed: boolean }> {
    let present: ReadonlySet<string> | undefined
    try {
      present = await Promise.race([admin.topics(), untilClosing])
      if (present === undefined) return 'again'
    } catch (error) {
      return { error: error as KafkaError, progressed: false }
    }
    const known = present
    const missing = topics.filter((topic) => !known.has(topic))
    tellMissing(missing)
    if (missing.length === topics.length) {
      await pauseFor(topicPollMs)
      return 'again'
    }
    const current = open(
      topics.filter((topic) => !missing.includes(topic)),
      handlers,
    )
    session = current
    const watching = new AbortController()
    const watch = setInterval(() => void look(current), LAG_REFRESH_INTERVAL_MS)
    const clockWatch = watchClock(current)
    try {
      const appeared = missing.length === 0 ? undefined : untilAppeared(missing, watching.signal)
      const end = await Promise.race([current.ended, ...(appeared === undefined ? [] : [appeared])])
      if (end === 'appeared') return 'again'
      return { error: end, progressed: current.hasDelivered() }
    } finally {
      clearInterval(watch)
      clearInterval(clockWatch)
      watching.abort()
      await current.close()
    }
  }

  /**
   * kafkajs measures by the wall clock when a heartbeat is due: where somebody sets it back by two hours, none is sent for
   * two hours, and nobody is told that the group goes on without us. A new membership counts from the new time.
   */
  function watchClock(member: Session): NodeJS.Timeout {
    let offsetMs = Date.now() - performance.now()
    return setInterval(() => {
      const nowMs = Date.now() - performance.now()
      const setBackMs = offsetMs - nowMs
      offsetMs = nowMs
      if (setBackMs < sessionTimeoutMs * CLOCK_TOLERANCE) return
      const seconds = Math.round(setBackMs / 1000)
      const text = `Kafka: this machine's clock was set back by ${seconds} s; joining the group anew`
      member.fail(new KafkaError('SURETY_KAFKA_BUSY', text))
    }, sessionTimeoutMs * CLOCK_LOOK)
  }

  async function look(member: Session): Promise<void> {
    const silentMs = performance.now() - member.lastSignAt()
    if (silentMs > sessionTimeoutMs + rebalanceTimeoutMs + SILENCE_MARGIN_MS) {
      member.fail(
        new KafkaError('SURETY_KAFKA_FAILED', `Kafka: no sign of life for ${Math.round(silentMs)} ms`),
      )
      return
    }
    try {
      await member.refreshLag()
    } catch (error) {
      logger.debug({ err: error }, 'Kafka: could not refresh the lag')
    }
  }

  async function untilAppeared(missing: readonly string[], signal: AbortSignal): Promise<'appeared'> {
    for (;;) {
      await pauseFor(topicPollMs, signal)
      if (signal.aborted) return await new Promise<never>(() => undefined)
      const present = await admin.topics().catch(() => new Set<string>())
      if (missing.some((topic) => present.has(topic))) return 'appeared'
    }
  }

  function tellMissing(missing: readonly string[]): void {
    const names = missing.join(', ')
    requiredMissing = missing.some((topic) => options.optionalTopics?.includes(topic) !== true)
    if (names === missingTold) return
    missingTold = names
    if (names === '') return
    const which = missing.length === 1 ? `topic ${names} does` : `topics ${names} do`
    if (requiredMissing) notReady = `the Kafka ${which} not exist`
    const example = `kafka-topics.sh --bootstrap-server ${options.brokers[0] ?? ''} --create --topic ${missing[0] ?? ''}`
    logger.warn(
      { groupId, missing },
      `Kafka: the ${which} not exist; waiting for it. Create it («${example}») or correct the configured name.`,
    )
  }

  /** One line when it begins, a reminder each minute, nothing louder in between. */
  function tellFailure(error: KafkaError, retryInMs: number): void {
    const at = performance.now()
    notReady = error.message
    const isNews = outage === undefined || at - outage.toldAt >= REMINDER_INTERVAL_MS
    outage ??= { sinceAt: at, toldAt: at }
    const fields = {
      groupId,
      code: error.code,
      brokers: options.brokers,
      downMs: Math.round(at - outage.sinceAt),
      retryInMs,
    }
    if (!isNews) {
      logger.debug({ ...fields, err: error }, 'Kafka: still not consuming; trying again')
      return
    }
    outage.toldAt = at
    if (error.code === 'SURETY_KAFKA_UNREACHABLE' || error.code === 'SURETY_KAFKA_BUSY') {
      logger.warn(fields, `${error.message}; trying again until it answers`)
    } else {
      logger.error({ ...fields, err: error }, `${error.message}; trying again`)
    }
  }

  async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
    const signals = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])
    await sleep(ms, undefined, { signal: signals }).catch(() => undefined)
  }

  function joined(partition: TopicPartition): Session {
    if (closing.signal.aborted && session === undefined) {
      throw new KafkaError('SURETY_KAFKA_CLOSED', 'Kafka: the port is closed')
    }
    if (session === undefined) {
      const name = `${partition.topic}-${partition.partition}`
      throw new KafkaError('SURETY_KAFKA_STALE', `Kafka: ${name} is not assigned to this member`)
    }
    return session
  }

  return {
    run(handlers) {
      if (supervising !== undefined) throw new TypeError('a KafkaPort runs once')
      supervising = supervise(handlers)
    },
    commit: async (partition, offset, metadata) => joined(partition).commit(partition, offset, metadata),
    committed: (partitions) =>
      retried(COMMITTED_TIMEOUT_MS, closing.signal, () => admin.committed(groupId, partitions)),
    seek: (partition, offset) => joined(partition).seek(partition, offset),
    pause: (partitions) => session?.pause(partitions),
    resume: (partitions) => session?.resume(partitions),
    paused: () =>
      (session?.lag() ?? [])
        .filter(({ paused }) => paused)
        .map(({ topic, partition, assignment }) => ({ topic, partition, assignment })),
    lag: () => session?.lag() ?? [],
    notReadyReason: () => notReady,
    close() {
      closed ??= (async () => {
        notReady = 'the Kafka port is closed'
        closing.abort()
        session?.fail(new KafkaError('SURETY_KAFKA_CLOSED', 'Kafka: the port is closed'))
        await supervising
        await admin.close()
        session = undefined
      })()
      return closed
    },
  }
}

/** Doubles from 0.5 s to 5 s, up to a fifth shorter, so that members do not come back in step. */
function backoff(failures: number): number {
  const ms = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(10, failures - 1))
  return Math.round(ms * (0.8 + Math.random() * 0.2))
}
