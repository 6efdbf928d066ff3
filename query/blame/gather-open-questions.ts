// The deriver's own questions of one minute, asked straight from spans.

import { z } from 'zod'
import { OPEN_QUESTIONS } from '../../ingest/derived/minute-questions.ts'
import type { Statement } from '../../ingest/store/store.ts'

const count = z.coerce.number()
const counts = z.array(count)
const text = z.string()
const entry = { service: text, operation: text, txn_code: text }
const cell = { channel: text, site: text, region: text, branch: text, teller: text }

/** A question of one minute, of which there are no slices. */
const ofMinute = <Parameters extends { readonly from: number }, Row>(
  name: string,
  sql: string,
  parameters: z.ZodType<Parameters>,
  row: z.ZodType<Row>,
): Statement<Parameters, Row> => ({
  name,
  sql: sql.replaceAll('{slice:UInt16}', '0').replaceAll('{slices:UInt16}', '1'),
  parameters,
  row,
})

const from = z.number().int()
export const openPaths = ofMinute(
  'open trace-paths.sql',
  OPEN_QUESTIONS.trace_paths_1m,
  z.object({ from, entries: z.array(text) }),
  z.object({
    ...entry,
    ...cell,
    client_version: text,
    caller: text,
    path: text,
    weighted: count,
    system_error: count,
    business_error: count,
    shed: count,
    business_reject: count,
    latency_buckets: counts,
    latency_weights: counts,
  }),
)
export const openFailures = ofMinute(
  'open trace-failures.sql',
  OPEN_QUESTIONS.trace_failures_1m,
  z.object({ from, entries: z.array(text) }),
  z.object({
    ...entry,
    ...cell,
    origin_service: text,
    origin_version: text,
    origin_operation: text,
    origin_peer: text,
    origin_site: text,
    origin_zone: text,
    origin_cluster: text,
    origin_node: text,
    signature: text,
    weighted: count,
  }),
)
export const openInstances = ofMinute(
  'open instance-requests.sql',
  OPEN_QUESTIONS.instance_requests_1m,
  z.object({ from, services: z.array(text) }),
  z.object({
    service: text,
    version: text,
    site: text,
    zone: text,
    cluster: text,
    node: text,
    weighted: count,
    bad: count,
    own_buckets: counts,
    own_weights: counts,
  }),
)

export type EntryAndCellTold = z.infer<z.ZodObject<typeof entry & typeof cell>>
