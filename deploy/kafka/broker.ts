// Apache Kafka as a child process, for tests, benches and a laptop: one node, KRaft, loopback only, bounded
// heap. Its jars come from deploy/setup.mjs. Production brokers are never started or configured here.
//
// States of one broker: formatting (new directory) → starting → answering → stopped or killed.
// A stopped or killed broker is started again by opening the same directory; its ports are remembered there.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildKafkaClient } from '../../ingest/kafka/kafkajs-client.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { freePort } from './free-port.ts'

// The same place that deploy/setup.mjs fills.
const JARS = fileURLToPath(new URL('../../.cache/kafka', import.meta.url))

const SETPRIV = '/usr/bin/setpriv'

const JAVA_VERSION_MIN = 17
const HEAP_MB_MAX = 512
const DIRECT_MEMORY_MB_MAX = 128
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000
const LOG_LINES_SHOWN = 15

export type BrokerTopic = { readonly topic: string; readonly partitions: number }

export type BrokerOptions = {
  /** Where the broker keeps everything. New or empty: it is formatted. Otherwise the broker goes on from it. */
  readonly directory: string
  /** Client port on 127.0.0.1. Default: the port the directory was last opened with, else a free one. */
  readonly port?: number
  /** Created when they are missing; existing topics stay as they are. */
  readonly topics?: readonly BrokerTopic[]
  /** A second listener on which clients must encrypt and say who they are. */
  readonly secured?: {
    /** Private key (PKCS 8) and certificate in one file, PEM. */
    readonly keyStoreFile: string
    /** Passwords by user name, for PLAIN and both SCRAM mechanisms. */
    readonly users: Readonly<Record<string, string>>
  }
}

export interface Broker {
  /** Bootstrap addresses, `127.0.0.1:<port>`. */
  readonly brokers: readonly string[]
  readonly port: number
  /** Bootstrap addresses of the secured listener; empty without one. */
  readonly securedBrokers: readonly string[]
  readonly pid: number
  /** Ends the broker cleanly (about 2 s); by force when that takes longer than 20 s. */
  stop(): Promise<void>
  /** SIGKILL, for crash tests. The next start on the directory recovers the log (7–12 s). */
  kill(): Promise<void>
}

/** The broker could not be started. The message says what to do. */
export class BrokerError extends Error {
  readonly code = 'SURETY_BROKER_START'
  readonly retryable = false

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrokerError'
  }
}

/**
 * Starts Apache Kafka and waits until clients can work with it.
 *
 * @throws BrokerError when jars or Java are missing, a port is taken, or the broker ends while starting
 */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  if (!existsSync(JARS) || !readdirSync(JARS).some((name) => /^kafka_.*\.jar$/.test(name))) {
    throw new BrokerError(
      "Apache Kafka's jars are not installed: run `npm test` or `node deploy/setup.mjs test` first.",
    )
  }
  requireJava()
  mkdirSync(options.directory, { recursive: true })
  const propertiesPath = join(options.directory, 'server.properties')
  const logPath = join(options.directory, 'broker.log')
  const isNew = !existsSync(join(options.directory, 'data', 'meta.properties'))

  const remembered = readPorts(propertiesPath)
  const port = options.port ?? remembered?.port ?? (await freePort())
  const controllerPort = remembered?.controllerPort ?? (await freePort())
  for (const wanted of [port, controllerPort]) {
    if (await answers(wanted)) {
      throw new BrokerError(
        `Port ${wanted} on 127.0.0.1 is taken: end what listens there, or open the broker on another port.`,
      )
    }
  }
  const { secured } = options
  const securedPort = secured === undefined ? undefined : await freePort()
  const properties = serverProperties(options.directory, port, controllerPort)
  writeFileSync(
    propertiesPath,
    secured === undefined
      ? properties
      : `${properties}${securedProperties(secured, port, controllerPort, securedPort ?? 0)}`,
  )
  if (isNew) await format(propertiesPath, logPath, secured?.users ?? {})

  const child = startJava(
    [`-Xms128m`, `-Xmx${HEAP_MB_MAX}m`, `-XX:MaxDirectMemorySize=${DIRECT_MEMORY_MB_MAX}m`],
    ['kafka.Kafka', propertiesPath],
    logPath,
  )
  const end = ended(child)
  // The broker must not outlive the process that started it.
  const killWithParent = () => void child.kill('SIGKILL')
  process.once('exit', killWithParent)
  void end.then(() => process.off('exit', killWithParent))

  const brokers = [`127.0.0.1:${port}`]
  const starting = new AbortController()
  try {
    const failure = await Promise.race([
      end.then((how) => startFailure(how, logPath)),
      answering(brokers, port, options.topics ?? [], starting.signal),
    ])
    if (failure !== undefined) throw failure
  } catch (error) {
    child.kill('SIGKILL')
    await end
    throw error
  } finally {
    starting.abort()
  }
  const { pid } = child
  if (pid === undefined) throw new BrokerError('The broker has no process.')

  return {
    brokers,
    port,
    securedBrokers: securedPort === undefined ? [] : [`127.0.0.1:${securedPort}`],
    pid,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await end
      clearTimeout(timer)
    },
    async kill() {
      child.kill('SIGKILL')
      await end
    },
  }
}

function requireJava(): void {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = /version "(\d+)/.exec(stderr ?? '')?.[1]
  if (error === undefined && version !== undefined && Number(version) >= JAVA_VERSION_MIN) return
  const found = version === undefined ? 'there is no `java` here' : `the \`java\` here is version ${version}`
  throw new BrokerError(
    `Apache Kafka needs Java ${JAVA_VERSION_MIN} or newer, and ${found}: apt-get install openjdk-17-jre-headless`,
    { cause: error },
  )
}

type End = { readonly error?: Error; readonly status: string }

function startJava(bounds: readonly string[], command: readonly string[], logPath: string): ChildProcess {
  const log = openSync(logPath, 'a')
  try {
    const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']
    const java = ['java', ...bounds, ...flags, '-cp', join(JARS, '*'), ...command]
    // On Linux the kernel ends the broker even when this process is killed without a word.
    const [program = 'java', ...args] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', ...java] : java
    return spawn(program, args, { stdio: ['ignore', log, log] })
  } finally {
    closeSync(log)
  }
}

async function ended(child: ChildProcess): Promise<End> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    return { status: signal === null ? `exit code ${code}` : `signal ${signal}` }
  } catch (error) {
    return { error: error as Error, status: 'not started' }
  }
}

async function format(
  propertiesPath: string,
  logPath: string,
  users: Readonly<Record<string, string>>,
): Promise<void> {
  const command = [
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId(),
    '-c',
    propertiesPath,
    '--standalone',
    ...Object.entries(users).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    ),
  ]
  const how = await ended(startJava(['-Xmx128m'], command, logPath))
  if (how.status !== 'exit code 0') throw startFailure(how, logPath)
}

function startFailure({ error, status }: End, logPath: string): BrokerError {
  const lines = readFileSync(logPath, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('SLF4J'))
    .slice(-LOG_LINES_SHOWN)
  const said = lines.length === 0 ? ['(it said nothing)'] : lines
  const text = [
    `Apache Kafka ended while starting (${status}). Usual causes: another broker has this directory open, or the disk is full.`,
    `The last lines of ${logPath}:`,
    ...said,
  ]
  return new BrokerError(text.join('\n  '), { cause: error })
}

/** Resolves once TCP, metadata, the group coordinator and the wanted topics are there. */
async function answering(
  brokers: readonly string[],
  port: number,
  topics: readonly BrokerTopic[],
  signal: AbortSignal,
): Promise<undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS
  let last: unknown
  while (!signal.aborted && Date.now() < deadline) {
    if (await answers(port)) {
      try {
        await prepare(brokers, topics)
        return undefined
      } catch (error) {
        last = error
      }
    }
    await sleep(100)
  }
  throw new BrokerError(`Apache Kafka did not answer on port ${port} within ${START_TIMEOUT_MS / 1000} s.`, {
    cause: last,
  })
}

async function prepare(brokers: readonly string[], topics: readonly BrokerTopic[]): Promise<void> {
  const { kafka } = buildKafkaClient({ brokers, clientId: 'surety-broker', logger: buildLogger('silent') })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const present = await admin.listTopics()
    const missing = topics.filter(({ topic }) => !present.includes(topic))
    if (missing.length > 0) {
      await admin.createTopics({
        topics: missing.map(({ topic, partitions }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: 1,
        })),
        waitForLeaders: true,
      })
    }
    // Creates the internal offsets topic on a fresh broker; until it is there the first group cannot join.
    await admin.describeGroups(['surety-broker'])
  } finally {
    await admin.disconnect()
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const settle = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

/** 16 random bytes as Kafka writes them; a leading dash would read as an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? clusterId() : id
}

function readPorts(path: string): { port: number; controllerPort: number } | undefined {
  if (!existsSync(path)) return undefined
  const found = /^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+),CONTROLLER:\/\/127\.0\.0\.1:(\d+)$/m.exec(
    readFileSync(path, 'utf8'),
  )
  return found === null ? undefined : { port: Number(found[1]), controllerPort: Number(found[2]) }
}

/** A single node: every internal topic has one partition and one replica, groups and sessions react fast. */
function serverProperties(directory: string, port: number, controllerPort: number): string {
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(directory, 'data'),
    'num.partitions': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'auto.create.topics.enable': false,
    'message.max.bytes': MESSAGE_BYTES_MAX,
    'replica.fetch.max.bytes': MESSAGE_BYTES_MAX,
  }
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}

/** Lines that come after the others and win over them. */
function securedProperties(
  { keyStoreFile, users }: NonNullable<BrokerOptions['secured']>,
  port: number,
  controllerPort: number,
  securedPort: number,
): string {
  const plainUsers = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const settings = {
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},SASL_SSL://127.0.0.1:${securedPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL_SSL://127.0.0.1:${securedPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStoreFile,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers.join(' ')};`,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scram,
  }
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}
