// One kafkajs client as the port wants it: bounded waits, sockets that can be cut, log lines in our form, and
// driver errors turned into KafkaError once, by type and code. Consuming (kafkajs-session.ts) never lives here.

import { createRequire } from 'node:module'
import { Socket, connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import kafkajs, {
  type ISocketFactory,
  type Kafka,
  type KafkaConfig,
  type LogEntry,
  type SASLOptions,
} from 'kafkajs'
import type { Logger } from '../runtime/logger.ts'
import { registerCodecs } from './codecs.ts'
import { installRecordBatches } from './record-batches.ts'
import { KafkaError, type KafkaErrorCode } from './kafka-port.ts'

const CONNECTION_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_DELAY_MS = 60_000

/** kafkajs repeats little by itself: long waits, and what is said about them, belong to the port. */
export const SHORT_RETRY = {
  retries: 3,
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  factor: 0.2,
  multiplier: 2,
} as const

export type KafkaClientOptions = {
  readonly brokers: readonly string[]
  readonly clientId: string
  /** true, or Node's TLS options, for encrypted connections */
  readonly tls?: boolean | ConnectionOptions
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
  readonly logger: Logger
}

export type KafkaClient = {
  readonly kafka: Kafka
  /** Cuts every connection and refuses new ones: whatever still runs in this client fails now. */
  readonly cut: () => void
}

export function buildKafkaClient(options: KafkaClientOptions): KafkaClient {
  registerCodecs()
  installRecordBatches()
  quietRequestQueue()
  const sockets = new Set<Socket>()
  let isCut = false

  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (isCut) {
      const refused = new Socket()
      process.nextTick(() => refused.destroy(new Error('the Kafka client was closed')))
      return refused
    }
    // kafkajs types `ssl` as always given; it is absent on plain connections.
    const tls = ssl as ConnectionOptions | undefined
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = tls
      ? connectTls({ host, port, ...name, ...tls }, onConnect)
      : connectTcp({ host, port }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return socket
  }

  const config: KafkaConfig = {
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: SHORT_RETRY,
    socketFactory,
    logLevel: options.logger.isLevelEnabled('trace') ? kafkajs.logLevel.DEBUG : kafkajs.logLevel.INFO,
    logCreator: () => (entry) => passOn(options.logger, entry),
    ...(options.tls === undefined ? {} : { ssl: options.tls }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl as SASLOptions }),
  }
  return {
    kafka: new kafkajs.Kafka(config),
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
  }
}

// kafkajs reports each failed attempt from several places. The port says the same once, in its own words, so
// only the namespaces whose warnings nothing else covers keep their level (offset out of range, for one).
const NAMESPACES_HEARD = new Set(['ConsumerGroup'])

function passOn(logger: Logger, { namespace, level, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, ...fields } = log
  const said = { ...fields, from: `kafkajs ${namespace}` }
  if (level === kafkajs.logLevel.DEBUG) logger.trace(said, message)
  else if (level === kafkajs.logLevel.INFO || !NAMESPACES_HEARD.has(namespace)) logger.debug(said, message)
  else if (level === kafkajs.logLevel.WARN) logger.warn(said, message)
  else logger.error(said, message)
}

type RequestQueue = {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}

// kafkajs 2.2.4 re-arms a 1 ms timer for ever on each connection that has nothing to send (a negative timeout:
// about 9 ms CPU per second and connection, and Node's TimeoutNegativeWarning). Without pending requests there
// is nothing to check: arrivals and answers both trigger the check by themselves.
let isQueueQuiet = false
function quietRequestQueue(): void {
  if (isQueueQuiet) return
  isQueueQuiet = true
  const load = createRequire(import.meta.url)
  const { prototype } = load('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function scheduleWhenPending(this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this)
  }
}

const CODE_BY_TYPE: Readonly<Record<string, KafkaErrorCode>> = {
  ILLEGAL_GENERATION: 'SURETY_KAFKA_STALE',
  UNKNOWN_MEMBER_ID: 'SURETY_KAFKA_STALE',
  REBALANCE_IN_PROGRESS: 'SURETY_KAFKA_STALE',
  FENCED_INSTANCE_ID: 'SURETY_KAFKA_STALE',
  UNKNOWN_TOPIC_OR_PARTITION: 'SURETY_KAFKA_TOPIC_MISSING',
  MESSAGE_TOO_LARGE: 'SURETY_KAFKA_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'SURETY_KAFKA_TOO_LARGE',
  INVALID_TOPIC_EXCEPTION: 'SURETY_KAFKA_CONFIG',
  TOPIC_AUTHORIZATION_FAILED: 'SURETY_KAFKA_CONFIG',
  GROUP_AUTHORIZATION_FAILED: 'SURETY_KAFKA_CONFIG',
  CLUSTER_AUTHORIZATION_FAILED: 'SURETY_KAFKA_CONFIG',
  SASL_AUTHENTICATION_FAILED: 'SURETY_KAFKA_CONFIG',
  UNSUPPORTED_SASL_MECHANISM: 'SURETY_KAFKA_CONFIG',
  ILLEGAL_SASL_STATE: 'SURETY_KAFKA_CONFIG',
  SECURITY_DISABLED: 'SURETY_KAFKA_CONFIG',
  INVALID_SESSION_TIMEOUT: 'SURETY_KAFKA_CONFIG',
  INVALID_GROUP_ID: 'SURETY_KAFKA_CONFIG',
  INCONSISTENT_GROUP_PROTOCOL: 'SURETY_KAFKA_CONFIG',
  GROUP_MAX_SIZE_REACHED: 'SURETY_KAFKA_CONFIG',
  OFFSET_METADATA_TOO_LARGE: 'SURETY_KAFKA_CONFIG',
  UNSUPPORTED_VERSION: 'SURETY_KAFKA_CONFIG',
  BROKER_NOT_AVAILABLE: 'SURETY_KAFKA_BUSY',
}

const CODE_BY_NAME: Readonly<Record<string, KafkaErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'SURETY_KAFKA_CONFIG',
  KafkaJSNotImplemented: 'SURETY_KAFKA_CONFIG',
  KafkaJSServerDoesNotSupportApiKey: 'SURETY_KAFKA_CONFIG',
  KafkaJSConnectionError: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSConnectionClosedError: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSRequestTimeoutError: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSBrokerNotFound: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSNoBrokerAvailableError: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSLockTimeout: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSTimeout: 'SURETY_KAFKA_UNREACHABLE',
  KafkaJSGroupCoordinatorNotFound: 'SURETY_KAFKA_BUSY',
  KafkaJSMetadataNotLoaded: 'SURETY_KAFKA_BUSY',
  KafkaJSTopicMetadataNotLoaded: 'SURETY_KAFKA_BUSY',
}

type DriverError = Error & {
  readonly type?: unknown
  readonly code?: unknown
  readonly retriable?: unknown
}

/**
 * A driver error as the caller is to treat it. kafkajs wraps errors in errors: the first link of the cause
 * chain that says something decides.
 *
 * @param doing what failed, for the message: "read the committed offsets"
 */
export function kafkaError(error: unknown, doing: string): KafkaError {
  if (error instanceof KafkaError) return error
  const links = causeChain(error)
  const code = links.map(codeOf).find((found) => found !== undefined) ?? 'SURETY_KAFKA_FAILED'
  const said = links.at(-1)?.message ?? String(error)
  return new KafkaError(code, `Kafka: could not ${doing}: ${said}`, { cause: error })
}

function causeChain(error: unknown): DriverError[] {
  const links: DriverError[] = []
  for (let link = error; link instanceof Error && links.length < 10; link = link.cause) {
    if (links.includes(link)) break
    links.push(link)
  }
  return links
}

function codeOf(error: DriverError): KafkaErrorCode | undefined {
  if (error instanceof KafkaError) return error.code
  if (typeof error.type === 'string') {
    return (
      CODE_BY_TYPE[error.type] ?? (error.retriable === true ? 'SURETY_KAFKA_BUSY' : 'SURETY_KAFKA_FAILED')
    )
  }
  // A broken handshake is a setting, a refused or reset connection is not.
  if (
    typeof error.code === 'string' &&
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO)/.test(error.code)
  ) {
    return 'SURETY_KAFKA_CONFIG'
  }
  return CODE_BY_NAME[error.name]
}
