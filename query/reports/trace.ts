// One trace by its id. The root's time narrows the search, which goes on as far as the spans that it finds last; a trace
// without a stored root is looked for in all that is kept.

import { z } from 'zod'
import { PROMOTED } from '../../ingest/store/promoted.ts'
import { statement, type AskOptions, type Store } from '../../ingest/store/store.ts'
import { Outcome, SPAN_KINDS, type TraceReply } from '../http/schemas.ts'
import { sqlSecond } from '../time-range.ts'

const trace = z.object({ trace: z.string() })
const traceStart = statement(
  new URL('./trace-start.sql', import.meta.url),
  trace,
  z.object({ started: z.coerce.number() }),
)

const SpanRow = z.looseObject({
  span: z.string(),
  parent: z.string(),
  service: z.string(),
  version: z.string(),
  site: z.string(),
  operation: z.string(),
  kind: z.number(),
  start_ns: z.coerce.bigint(),
  duration_ns: z.coerce.number(),
  outcome: Outcome,
  status: z.number(),
  status_message: z.string(),
  res_id: z.string(),
  attr_k: z.array(z.string()),
  attr_v: z.array(z.string()),
  event_ns: z.array(z.coerce.bigint()),
  event_name: z.array(z.string()),
  event_attr: z.array(z.string()),
  is_ahead: z.boolean(),
})
const traceSpans = statement(
  new URL('./trace-spans.sql', import.meta.url),
  trace.extend({ from: z.string(), to: z.string() }),
  SpanRow,
)
const resources = statement(
  new URL('./resources.sql', import.meta.url),
  z.object({ ids: z.array(z.string()) }),
  z.object({ id: z.string(), keys: z.array(z.string()), vals: z.array(z.string()) }),
)

const STATUSES = ['UNSET', 'OK', 'ERROR'] as const
const NO_PARENT = '0'.repeat(16)
const MINUTE_MS = 60_000
// Spans of one trace begin while another of its spans lasts; clocks differ by so much, and what is looked at reaches further so
// that one look is mostly enough.
const CLOCKS_MS = MINUTE_MS
const MARGIN_MS = 5 * MINUTE_MS
// What was sent may be taken up later.
const AFTER_PRODUCER_MS = 60 * MINUTE_MS
const LASTS_MS_MAX = 1440 * MINUTE_MS
const PRODUCER = 4
const DAY_MS = 86_400_000
const LOOK_UP = { lane: 'light', threadsMax: 1 } as const
const RESOURCES_KNOWN_MAX = 5000
const RESOURCE_CHARACTERS_MAX = 4096

/**
 * @param traceId        32 hexadecimal digits
 * @param nowMs          upper end of the search for a trace without a root
 * @param retentionDays  how far back such a search goes
 * @returns its spans in order of start; undefined when none is stored
 */
export async function traceById(
  store: Store,
  traceId: string,
  nowMs: number,
  retentionDays: number,
): Promise<TraceReply | undefined> {
  const id = traceId.toLowerCase()
  const roots = await store.ask(traceStart, { trace: id }, LOOK_UP)
  const starts = roots.map(({ started }) => started * 1000)
  const spansWithin = (fromMs: number, toMs: number, options: AskOptions) =>
    store.ask(traceSpans, { trace: id, from: sqlSecond(Math.max(0, fromMs)), to: sqlSecond(toMs) }, options)
  const rows =
    starts.length > 0
      ? await spansAround(starts, (fromMs, toMs) => spansWithin(fromMs, toMs, LOOK_UP))
      : await spansWithin(nowMs - retentionDays * DAY_MS, nowMs + DAY_MS, { lane: 'heavy' })
  if (rows.length === 0) return undefined
  const resourceOf = await resourcesOf(store, [...new Set(rows.map((row) => row.res_id))])
  return {
    traceId: id,
    spans: rows.map((row) => ({
      spanId: row.span.toLowerCase(),
      parentSpanId: row.parent === NO_PARENT ? null : row.parent.toLowerCase(),
      service: row.service,
      version: row.version,
      site: row.site,
      name: row.operation,
      kind: SPAN_KINDS[row.kind] ?? 'UNSPECIFIED',
      startAt: isoNanoseconds(row.start_ns),
      ...(row.is_ahead ? { isAhead: true as const } : {}),
      durationMs: row.duration_ns / 1e6,
      outcome: row.outcome,
      statusCode: STATUSES[row.status] ?? 'UNSET',
      statusMessage: row.status_message,
      attributes: { ...promotedAttributes(row), ...pairs(row.attr_k, row.attr_v) },
      resource: resourceOf.get(row.res_id) ?? {},
      events: row.event_ns.map((at, index) => ({
        at: isoNanoseconds(at),
        name: row.event_name[index] ?? '',
        attributes: eventAttributes(row.event_attr[index]),
      })),
    })),
  }
}

type Timed = Pick<z.infer<typeof SpanRow>, 'start_ns' | 'duration_ns' | 'kind'>

/**
 * Looks on as long as a span that was found lasts beyond the time looked at, or sent something.
 * @param read  spans that start in [from, to), in order of start
 * @returns in order of start
 */
export async function spansAround<Row extends Timed>(
  rootStartsMs: readonly number[],
  read: (fromMs: number, toMs: number) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  const lastMs = Math.max(...rootStartsMs)
  let fromMs = Math.min(...rootStartsMs) - MARGIN_MS
  let toMs = lastMs + MARGIN_MS
  for (;;) {
    const found = await read(fromMs, toMs)
    rows.push(...found)
    const wantedMs = Math.max(0, ...found.map(mayBeginUntilMs))
    if (wantedMs + CLOCKS_MS <= toMs || toMs >= lastMs + LASTS_MS_MAX) return rows
    fromMs = toMs
    toMs = Math.min(Math.ceil(wantedMs) + MARGIN_MS, lastMs + LASTS_MS_MAX)
  }
}

/** Until when other spans of the trace may begin because of this one, ms since epoch. */
function mayBeginUntilMs({ start_ns, duration_ns, kind }: Timed): number {
  return (Number(start_ns) + duration_ns) / 1e6 + (kind === PRODUCER ? AFTER_PRODUCER_MS : 0)
}

type Attributes = Readonly<Record<string, string>>

// An id is the hash of what it stands for, so what was read once holds for good.
const knownResources = new WeakMap<Store, Map<string, Attributes>>()

async function resourcesOf(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, Attributes>> {
  const known = knownResources.get(store) ?? new Map<string, Attributes>()
  knownResources.set(store, known)
  const missing = ids.filter((id) => !known.has(id))
  const read = missing.length === 0 ? [] : await store.ask(resources, { ids: missing }, LOOK_UP)
  const found = new Map(read.map((row) => [row.id, pairs(row.keys, row.vals)]))
  const all = new Map(ids.map((id) => [id, known.get(id) ?? found.get(id) ?? {}]))
  if (known.size + found.size > RESOURCES_KNOWN_MAX) known.clear()
  for (const { id, keys, vals } of read) {
    const characters = [...keys, ...vals].reduce((sum, text) => sum + text.length, 0)
    if (characters <= RESOURCE_CHARACTERS_MAX) known.set(id, found.get(id) ?? {})
  }
  return all
}

/** Attributes that have a column, back under their own names. */
function promotedAttributes(row: Readonly<Record<string, unknown>>): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const { column, keys, level, fallback } of PROMOTED) {
    const value = row[column]
    if (level === 'resource' || value === undefined || value === '' || value === 0 || value === fallback)
      continue
    if (typeof value === 'string' || typeof value === 'number') attributes[keys[0]] = String(value)
  }
  return attributes
}

function pairs(keys: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? '']))
}

function eventAttributes(json: string | undefined): Record<string, string> {
  return json === undefined || json === '' ? {} : (JSON.parse(json) as Record<string, string>)
}

/** RFC 3339 with nine digits after the second. */
export function isoNanoseconds(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}
