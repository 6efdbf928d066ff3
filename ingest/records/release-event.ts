// A release event as it is kept: a few facts lifted out of a CloudEvent or CDEvent, and the whole of it as
// text. What an event means for a rollout is never decided here.

export const RELEASE_ACTIONS = [
  'deployed',
  'upgraded',
  'rolledback',
  'removed',
  'published',
  'other',
] as const

/** What a `dev.cdevents.service.*` event says of its service; `other` for every other type. */
export type ReleaseAction = (typeof RELEASE_ACTIONS)[number]

/** The store keeps instants from 1970-01-01T00:00:00Z up to the last second that 32 bits can count. */
export const RELEASE_EVENT_AT_MIN_MS = 0
export const RELEASE_EVENT_AT_MAX_MS = 4_294_967_295_999

/** One event. `source` and `id` together are its identity; texts are empty when the event does not say. */
export type ReleaseEventRecord = {
  /** URI-reference of the sender, at most 1024 characters. */
  readonly source: string
  /** Unique within `source`, at most 1024 characters. */
  readonly id: string
  /** As sent, e.g. `dev.cdevents.service.deployed.0.3.0`; unknown types are kept. */
  readonly type: string
  /** When it happened by its sender, else when it was received; ms since 1970, within the bounds above. */
  readonly at: number
  /** ms since 1970 by our clock. */
  readonly receivedAt: number
  /** At most 256 characters. */
  readonly service: string
  /** At most 256 characters; meant to equal `service.version` of the telemetry. */
  readonly version: string
  /** Id of the environment, at most 256 characters. */
  readonly environment: string
  readonly action: ReleaseAction
  /** Short free text for a marker in a chart, at most 200 characters. */
  readonly description: string
  /** CloudEvents `subject`, else the CDEvents subject's id; at most 1024 characters. */
  readonly subject: string
  /** Of the outermost form: CloudEvents `1.0`, or a bare CDEvent's own version such as `0.5.1`. */
  readonly specversion: string
  /** One JSON document, the event exactly as received. A binary-mode event carries its headers in front. */
  readonly body: string
}
