// Surety's own spans: what the parts say about their work. Off until `open`, and then free of feedback: work on nothing
// but Surety's own spans makes no span. The SDK lives in own-traces-sdk.ts and is loaded only when it is wanted.
//
// States: off → on → closed.

import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

export type SpanFacts = Readonly<Record<string, string | number | boolean>>

/** A span that was begun; `end` sends it off. */
export type OwnSpan = {
  readonly set: (facts: SpanFacts) => void
  readonly fail: (reason: string) => void
  readonly end: () => void
}

/** What the SDK does for us. */
export interface SpanSink {
  /** A span around the work, parent of those begun within; marked failed when the work throws. */
  run<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>
  /** Whether the caller runs within a span. */
  isWithin(): boolean
  /** A server span; its parent is what the headers say (W3C traceparent). */
  request(name: string, facts: SpanFacts, headers: Readonly<Record<string, unknown>>): OwnSpan
  /** Sends what waits. */
  close(): Promise<void>
}

export type SpanSinkOptions = {
  /** OTLP/HTTP, with its path: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string
  /** Share of traces begun here that are kept, 0–1; a trace begun elsewhere is kept when its caller keeps it. */
  readonly ratio: number
  readonly logger: Logger
}

/** Whatever goes into a batch; raw bytes of its resources, as latin1 texts. */
type WithResources = { readonly resources: readonly string[] }

export interface OwnTraces {
  /** A span around the work on these messages, unless all of them are Surety's own telemetry. */
  batch<T>(
    name: string,
    facts: SpanFacts,
    items: readonly WithResources[],
    work: () => Promise<T>,
  ): Promise<T>
  /** A span around a step of a batch; none when the batch has none. */
  step<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>
  /** A span around work that batches cause later, unless only own telemetry came lately. */
  aftermath<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T>
  /** A server span; undefined while off. */
  request(name: string, facts: SpanFacts, headers: Readonly<Record<string, unknown>>): OwnSpan | undefined
}

export type SwitchableTraces = OwnTraces & {
  /** @throws Error when the SDK cannot be loaded */
  readonly open: (options: SpanSinkOptions) => Promise<void>
  readonly close: () => Promise<void>
}

export const OWN_SERVICE = 'surety'

// KeyValue { key: 'service.name', value: { string_value: 'surety' } } as every encoder writes it. Told by content, own
// spans are known however they come: by our door, through a gateway and Kafka, by way of a Collector.
const OWN_MARK = `service.name\u0012\u0008\n\u0006${OWN_SERVICE}`
// Buckets are derived again up to ten minutes after their batches.
const AFTERMATH_MS = 15 * 60_000

/** Whether there is anything here that Surety did not send itself. */
export function hasForeign(items: readonly WithResources[]): boolean {
  return items.some(({ resources }) => resources.some((resource) => !resource.includes(OWN_MARK)))
}

/** @param load  how to come by the SDK; tests stand in for it */
export function buildOwnTraces(
  clock: Clock,
  load: (options: SpanSinkOptions) => Promise<SpanSink> = loadSdk,
): SwitchableTraces {
  let sink: SpanSink | undefined
  let foreignAt = Number.NEGATIVE_INFINITY

  return {
    batch(name, facts, items, work) {
      if (sink === undefined || !hasForeign(items)) return work()
      foreignAt = clock.now()
      return sink.run(name, facts, work)
    },
    step: (name, facts, work) => (sink?.isWithin() === true ? sink.run(name, facts, work) : work()),
    aftermath(name, facts, work) {
      const isCaused = clock.now() - foreignAt <= AFTERMATH_MS
      return sink !== undefined && isCaused ? sink.run(name, facts, work) : work()
    },
    request: (name, facts, headers) => sink?.request(name, facts, headers),
    async open(options) {
      sink = await load(options)
    },
    async close() {
      const closing = sink
      sink = undefined
      await closing?.close()
    },
  }
}

async function loadSdk(options: SpanSinkOptions): Promise<SpanSink> {
  const { openSpanSink } = await import('./own-traces-sdk.ts')
  return openSpanSink(options)
}

/** What parts have that nobody handed any. */
export const NO_TRACES: OwnTraces = buildOwnTraces({ now: () => 0 })
