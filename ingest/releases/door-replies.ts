// How the doors of releases answer: what was stored, or problem details (RFC 9457) with our stable codes.

import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { Problem } from './event-fields.ts'
import type { ReleaseEventStore } from './release-event-store.ts'

/** Bytes of one request. A full batch then has about 1 KiB per event, which a CDEvent needs. */
export const BODY_BYTES_MAX = 1024 * 1024
/** Long enough for a store to finish a merge or a restart; senders that wait less only add to the queue. */
export const RETRY_AFTER_SECONDS = 5

export type RefusalStatus = 400 | 401 | 404 | 413 | 415

/** A request that was turned away, for counters. */
export type RefusedRelease = {
  /** As in our metrics: `releases`, `releases/github`. */
  readonly door: string
  readonly status: RefusalStatus
  /** ms since 1970 */
  readonly receivedAt: number
  readonly problems: readonly Problem[]
  /** As received; empty when it was not read (413, 415) or must not be believed (401). */
  readonly body: Buffer
}

export const NO_BODY: Buffer = Buffer.alloc(0)

export function sendProblem(
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  errors?: readonly Problem[],
): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: STATUS_CODES[status] ?? '',
      status,
      detail,
      code,
      ...(errors === undefined ? {} : { errors }),
    })
}

/**
 * Stores the events and answers 201 when something was new, 200 when all was known, 503 when the store cannot take them now.
 * @param records may hold twins of one (`source`, `id`), and may be empty
 * @throws what the store throws and does not call retryable
 */
export async function storeAndAnswer(
  reply: FastifyReply,
  store: ReleaseEventStore,
  given: readonly ReleaseEventRecord[],
): Promise<FastifyReply | { readonly stored: number; readonly duplicates: number }> {
  const records = withoutTwins(given)
  const twins = given.length - records.length
  try {
    const added = records.length === 0 ? { stored: 0, duplicates: 0 } : await store.add(records)
    reply.code(added.stored > 0 ? 201 : 200)
    return { stored: added.stored, duplicates: added.duplicates + twins }
  } catch (error) {
    if (!isRetryable(error)) throw error
    reply.header('retry-after', String(RETRY_AFTER_SECONDS))
    const detail = `The store cannot take events now. Send the same request again after ${RETRY_AFTER_SECONDS} s; events that were stored are not stored twice.`
    return sendProblem(reply, 503, typeof error.code === 'string' ? error.code : 'SURETY_STORE_BUSY', detail)
  }
}

/** The first of each (`source`, `id`). A source is a URI-reference and holds no line break. */
function withoutTwins(records: readonly ReleaseEventRecord[]): ReleaseEventRecord[] {
  const byIdentity = new Map<string, ReleaseEventRecord>()
  for (const event of records) {
    const identity = `${event.source}\n${event.id}`
    if (!byIdentity.has(identity)) byIdentity.set(identity, event)
  }
  return [...byIdentity.values()]
}

const isRetryable = (
  error: unknown,
): error is Error & { readonly retryable: true; readonly code?: unknown } =>
  error instanceof Error && 'retryable' in error && error.retryable === true
