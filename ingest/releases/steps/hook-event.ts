// What a foreign webhook becomes before it is kept: an event with an identity that a repeat shares. Each tool's file says which.

import { createHash } from 'node:crypto'
import {
  RELEASE_EVENT_AT_MAX_MS,
  RELEASE_EVENT_AT_MIN_MS,
  type ReleaseEventRecord,
} from '../../records/release-event.ts'
import type { ReleaseStep } from '../../records/release-step.ts'
import { eventSource, NAME_CHARS_MAX, type Problem } from '../event-fields.ts'
import { cut } from './step-draft.ts'

/** One request of a tool, its signature verified, its body parsed. */
export type HookRequest = {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly value: unknown
  /** The JSON as it came. */
  readonly text: string
  /** ms since 1970 by our clock */
  readonly receivedAt: number
}

export type HookIdentity = {
  /** URI-reference; what is none is replaced by the tool's own path. */
  readonly source: string
  readonly id: string
  /** Reverse-DNS, as CloudEvents wants it: `com.github.deployment_status`. */
  readonly type: string
  /** ms since 1970; undefined: the tool does not say. */
  readonly at: number | undefined
  readonly subject: string
}

export type HookAnswer =
  | { readonly kind: 'event'; readonly identity: HookIdentity }
  /** Nothing to keep, and nothing wrong: a tool's sign of life. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

export const refusedHook = (place: string, message: string): HookAnswer => ({
  kind: 'refused',
  problems: [{ place, message }],
})

export function headerOf(headers: HookRequest['headers'], name: string): string {
  const value = headers[name]
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).trim()
}

/** An identity for what carries none: the same bytes are the same event. */
export const contentId = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** The event as it is kept. What it means stands in its step; the texts here are for markers in a chart. */
export function hookRecord(
  identity: HookIdentity,
  body: string,
  receivedAt: number,
  stepOf: (event: ReleaseEventRecord) => ReleaseStep | undefined,
): ReleaseEventRecord {
  const bare: ReleaseEventRecord = {
    source: sourceOf(identity),
    id: identity.id.length <= NAME_CHARS_MAX ? identity.id.toWellFormed() : contentId(identity.id),
    type: cut(identity.type, NAME_CHARS_MAX),
    at: storable(identity.at) ?? receivedAt,
    receivedAt,
    service: '',
    version: '',
    environment: '',
    action: 'other',
    description: '',
    subject: cut(identity.subject, NAME_CHARS_MAX),
    specversion: '',
    body,
  }
  const step = stepOf(bare)
  if (step === undefined) return bare
  return {
    ...bare,
    at: step.at,
    service: step.service,
    version: step.versionTo,
    environment: step.environment,
    action: ACTIONS[step.kind] ?? 'other',
    description: step.description,
  }
}

const ACTIONS: Readonly<Partial<Record<ReleaseStep['kind'], ReleaseEventRecord['action']>>> = {
  ready: 'deployed',
  completed: 'deployed',
  step: 'upgraded',
  rolled_back: 'rolledback',
  removed: 'removed',
}

/** What the store can keep; another instant is not believed. */
export function storable(at: number | undefined): number | undefined {
  return at !== undefined && at >= RELEASE_EVENT_AT_MIN_MS && at <= RELEASE_EVENT_AT_MAX_MS ? at : undefined
}

function sourceOf({ source, type }: HookIdentity): string {
  const encoded = source.isWellFormed() ? encodeURI(source).replaceAll('%25', '%') : ''
  return eventSource.safeParse(encoded).success ? encoded : `/${type}`
}
