// The statements that a case is gathered with; one .sql file each, completed with the rows they are about.

import { z } from 'zod'
import type { Bindable } from '../../ingest/store/bind.ts'
import { statement, type Statement } from '../../ingest/store/store.ts'
import {
  OPEN_MINUTES_MAX,
  openCount,
  openShape,
  rangeShape as range,
  withoutComments,
  withRows,
  type Open,
} from './minute-rows.ts'

const count = z.coerce.number()
const counts = z.array(count)
const texts = z.array(z.string())
const limit = z.number().int()
const bounds = { from: z.string(), to: z.string() }

/** How a path met each candidate, a digit each. */
const TOUCH = `arrayStringConcat(arrayMap((new_version, any_version) -> multiIf(position(path, new_version) > 0, '2', position(path, any_version) > 0, '1', '0'), {new_in:Array(String)}, {old_in:Array(String)}))`

/** A statement over rows of minutes, those that are not derived among them: its text names as many open minutes as there are. */
function ofMinutes<Parameters extends Readonly<Record<string, Bindable>>, Row>(
  name: string,
  parameters: z.ZodType<Parameters>,
  row: z.ZodType<Row>,
): (open: Open) => Statement<Parameters, Row> {
  const asked = statement(new URL(name, import.meta.url), parameters, row)
  const byOpen = Array.from({ length: OPEN_MINUTES_MAX + 1 }, (_, open) =>
    withRows(withTouch(withoutComments(asked.sql)), open),
  )
  return (open) => ({ ...asked, sql: byOpen[openCount(open)] ?? asked.sql })
}

const withTouch = (sql: string) => sql.replaceAll(/\bTOUCH\b/g, () => TOUCH)

/** A statement over derived rows alone. */
function question<Parameters extends Readonly<Record<string, Bindable>>, Row>(
  name: string,
  parameters: z.ZodType<Parameters>,
  row: z.ZodType<Row>,
  table?: string,
): Statement<Parameters, Row> {
  const asked = statement(new URL(name, import.meta.url), parameters, row)
  return { ...asked, sql: withRows(withTouch(withoutComments(asked.sql)), 0, table) }
}

type RowOf<Made extends (open: Open) => { readonly row: z.ZodType }> = z.infer<ReturnType<Made>['row']>

const histogram = z.tuple([counts, counts]).transform(([buckets, weights]) => ({ buckets, weights }))
export const entriesSeen = ofMinutes(
  './entries-seen.sql',
  z.object({ ...range, ...openShape, usual: z.string(), service: z.string(), limit }),
  z.object({
    service: z.string(),
    operation: z.string(),
    txn_code: z.string(),
    requests_weighted: count,
    spans: count,
    touching: count,
    usual_latency: histogram,
    teller_cells: count,
    branch_cells: count,
  }),
)
export type EntrySeen = RowOf<typeof entriesSeen>

export const pathsSeen = ofMinutes(
  './paths-seen.sql',
  z.object({ ...range, ...openShape, entries: texts }),
  z.object({ path: z.string(), requests: count }),
)

export const traceRows = question(
  './trace-rows.sql',
  z.object({
    ...range,

    entries: texts,
    slow: texts,
    new_in: texts,
    old_in: texts,
    clients: texts,
    tellers: z.number().int(),
    branches: z.number().int(),
  }),
  z.object({
    entry: count,
    channel: z.string(),
    site: z.string(),
    region: z.string(),
    branch: z.string(),
    teller: z.string(),
    minutes: z.array(z.number()),
    touches: texts,
    requests: z.array(z.number()),
    system_errors: z.array(z.number()),
    business_errors: z.array(z.number()),
    shed: z.array(z.number()),
    rejects: z.array(z.number()),
    slow: z.array(z.number()),
  }),
)
export type TraceRowsSeen = z.infer<typeof traceRows.row>

export const failureRows = question(
  './failure-rows.sql',
  z.object({
    ...range,

    entries: texts,
    tellers: z.number().int(),
    branches: z.number().int(),
    limit,
  }),
  z.object({
    minute: count,
    entry: count,
    cell_channel: z.string(),
    cell_site: z.string(),
    cell_region: z.string(),
    cell_branch: z.string(),
    cell_teller: z.string(),
    origin: z.string(),
    version: z.string(),
    failed_operation: z.string(),
    peer: z.string(),
    failed_site: z.string(),
    zone: z.string(),
    cluster: z.string(),
    node: z.string(),
    error: z.string(),
    failed: z.number(),
  }),
)

export type FailureSeen = z.infer<typeof failureRows.row>

export const placeRows = question(
  './place-rows.sql',
  z.object({ ...range, services: texts, edge_services: texts, edges: texts, limit }),
  z.object({
    minute: count,
    service: z.string(),
    version: z.string(),
    site: z.string(),
    zone: z.string(),
    cluster: z.string(),
    node: z.string(),
    requests: z.number(),
    failed: z.number(),
    slow: z.number(),
  }),
)

export type PlaceSeen = z.infer<typeof placeRows.row>

export const usualPlaces = question(
  './usual-places.sql',
  z.object({ ...range, services: texts }),
  z.object({ service_: z.string(), edge95: count }),
)

export const peerRows = question(
  './peer-rows.sql',
  z.object({ ...range, callers: texts, limit }),
  z.object({
    minute: count,
    caller_: z.string(),
    version: z.string(),
    peer_: z.string(),
    kind: z.string(),
    calls: z.number(),
    failed: z.number(),
    took: z.array(z.number().nullable()),
  }),
  'service_edges_1m',
)

export const callsSeen = question(
  './calls-seen.sql',
  z.object(bounds),
  z.object({ caller_: z.string(), callee_: z.string() }),
)
export const systemsSeen = question(
  './systems-seen.sql',
  z.object(bounds),
  z.object({ service_: z.string(), system: z.string() }),
)
export const signatureRows = question(
  './signature-rows.sql',
  z.object({ ...range, services: texts, limit }),
  z.object({
    minute: count,
    service_: z.string(),
    version_: z.string(),
    id: z.string(),
    type_: z.string(),
    message_: z.string(),
    times: count,
  }),
)
export const signaturePasts = question(
  './signature-pasts.sql',
  z.object({
    before: z.string(),
    to: z.string(),
    now_from: z.string(),
    services: texts,
    released: texts,
    released_at: texts,
  }),
  z.object({ service_: z.string(), id: z.string(), versions: texts, at_releases: counts }),
)
export const versionsSeen = question(
  './versions-seen.sql',
  z.object({ ...bounds, services: texts }),
  z.object({ service_: z.string(), versions: texts }),
)
export const platformEvents = question(
  './platform-events.sql',
  z.object({ ...bounds, limit }),
  z.object({
    at: count,
    kind_: z.string(),
    name_: z.string(),
    service_: z.string(),
    zone_: z.string(),
    node_: z.string(),
  }),
)
export const exemplarTraces = question(
  './exemplars.sql',
  z.object({ ...bounds, entries: texts, services: texts, limit }),
  z.object({ trace: z.string(), failed: count, path: z.string() }),
)

export const latencyRows = ofMinutes(
  './latency-rows.sql',
  z.object({
    ...range,
    ...openShape,
    ready: z.number().int(),
    entries: texts,
    new_in: texts,
    old_in: texts,
    clients: texts,
  }),
  z.object({
    entry: count,
    touch: z.string(),
    after: count,
    buckets: counts,
    requests: z.array(z.number()),
  }),
)
export const calledRows = question(
  './called-rows.sql',
  z.object({ ...bounds, service: z.string() }),
  z.object({ minute: count, caller_: z.string(), calls: z.number(), failed: z.number() }),
)
export const callerRows = question(
  './caller-rows.sql',
  z.object({ ...range, entries: texts, slow: texts }),
  z.object({
    minute: count,
    client: z.string(),
    sender: z.string(),
    requests: z.number(),
    failed: z.number(),
    slow: z.number(),
  }),
)
export type CallerSeen = z.infer<typeof callerRows.row>
