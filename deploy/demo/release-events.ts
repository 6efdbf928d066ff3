// What the bank tells Surety about its releases: CDEvents 0.4.1 in CloudEvents 1.0, structured. Building them is
// pure; sending them keeps the order, retries while Surety is not up, and gives up on what Surety refuses.

import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Scope } from './routing.ts'
import { ENVIRONMENT, type ServiceName } from './topology.ts'

const SOURCE = '/surety/demo-bank'

/**
 * deployed    a version starts to serve beside or as the first one
 * upgraded    the version in front changes: a wider gray scope, or everything
 * rolledback  an earlier version serves everything again
 */
export type ReleaseAction = 'deployed' | 'upgraded' | 'rolledback'

export type Release = {
  readonly action: ReleaseAction
  readonly service: string
  readonly version: string
  /** the version that served this scope before; undefined for the first */
  readonly previousVersion: string | undefined
  readonly scope: Scope
  /** milliseconds since 1970 */
  readonly at: number
  /** undefined: a random one */
  readonly id?: string
}

export type CloudEvent = ReturnType<typeof buildReleaseEvent>

export function buildReleaseEvent(release: Release) {
  const { action, service, version, previousVersion, scope } = release
  const id = release.id ?? randomUUID()
  const type = `dev.cdevents.service.${action}.0.2.0`
  const time = new Date(release.at).toISOString()
  return {
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    time,
    subject: service,
    datacontenttype: 'application/json',
    data: {
      context: { version: '0.4.1', id, source: SOURCE, type, timestamp: time },
      subject: {
        id: service,
        source: SOURCE,
        type: 'service',
        content: {
          environment: { id: ENVIRONMENT },
          artifactId: `pkg:oci/${service}@${version}`,
        },
      },
      customData: {
        version,
        ...(previousVersion === undefined ? {} : { previousVersion }),
        scope,
        // Few words, the same in every language; Surety adds the scope.
        description: previousVersion === undefined ? version : `${previousVersion} → ${version}`,
      },
      customDataContentType: 'application/json',
    },
  } as const
}

/** The same service and version give the same id, so that a restart of the demo tells nothing twice. */
export function baselineId(service: ServiceName, version: string): string {
  const hex = createHash('sha256').update(`${SOURCE}|baseline|${service}|${version}`).digest('hex')
  // The layout of an RFC 9562 version 8 UUID: 122 bits of our own choice.
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** `fetch failed` says nothing; its cause names the address that does not answer. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

export type SenderState = {
  readonly pending: number
  readonly sent: number
  readonly refused: number
  /** why the last attempt failed; undefined after a success */
  readonly lastFailure: string | undefined
}

export interface ReleaseSender {
  send(event: CloudEvent): void
  state(): SenderState
  close(): Promise<void>
}

export type SenderParts = {
  readonly url: string
  readonly logger: Logger
  /** the seam for tests; the global one otherwise */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  readonly firstRetryMs?: number
}

const PENDING_MAX = 200
const ATTEMPT_TIMEOUT_MS = 5_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 15_000

/** Sends one event after the other. At the bound the oldest event is given up and counted as refused. */
export function openReleaseSender(parts: SenderParts): ReleaseSender {
  const { logger } = parts
  const post = parts.fetch ?? fetch
  const address = new URL('/api/v1/releases/events', parts.url).href
  const closing = new AbortController()
  const queue: CloudEvent[] = []
  let sent = 0
  let refused = 0
  let lastFailure: string | undefined
  let running: Promise<void> | undefined

  async function attempt(event: CloudEvent): Promise<'sent' | 'refused' | 'retry'> {
    try {
      const response = await post(address, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      })
      if (response.ok) {
        await response.body?.cancel()
        lastFailure = undefined
        return 'sent'
      }
      const reply = (await response.text()).slice(0, 300)
      lastFailure = `Surety answered ${response.status}`
      // 404 is retried: another program may hold the port before Surety does.
      if (response.status >= 500 || [404, 408, 425, 429].includes(response.status)) return 'retry'
      logger.warn({ status: response.status, reply, event: event.id }, 'Surety refused a release event')
      return 'refused'
    } catch (error) {
      lastFailure = reasonOf(error)
      return 'retry'
    }
  }

  async function run(): Promise<void> {
    let waitMs = parts.firstRetryMs ?? FIRST_RETRY_MS
    for (let event = queue[0]; event !== undefined && !closing.signal.aborted; event = queue[0]) {
      const outcome = await attempt(event)
      if (outcome === 'retry') {
        await sleep(waitMs, undefined, { signal: closing.signal }).catch(() => undefined)
        waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)
        continue
      }
      if (queue[0] === event) queue.shift()
      sent += outcome === 'sent' ? 1 : 0
      refused += outcome === 'refused' ? 1 : 0
      waitMs = parts.firstRetryMs ?? FIRST_RETRY_MS
    }
    running = undefined
  }

  return {
    send(event) {
      if (queue.length >= PENDING_MAX) {
        queue.shift()
        refused += 1
        logger.warn({ pending: PENDING_MAX }, 'too many release events wait; the oldest is given up')
      }
      queue.push(event)
      running ??= run()
    },
    state: () => ({ pending: queue.length, sent, refused, lastFailure }),
    async close() {
      closing.abort()
      await running
    },
  }
}
