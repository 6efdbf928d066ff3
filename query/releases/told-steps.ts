// Steps of releases as they were told, read once and kept: a step never changes, so only new ones are asked for.

import { z } from 'zod'
import {
  CHANGE_TYPES,
  RELEASE_TOOLS,
  STEP_KINDS,
  type ReleaseScope,
  type ReleaseStep,
} from '../../ingest/records/release-step.ts'
import { sqlMillisecond, statement, type Store } from '../../ingest/store/store.ts'

const number = z.coerce.number()
const question = statement(
  new URL('./release-steps.sql', import.meta.url),
  z.object({ since: z.string(), limit: z.number().int() }),
  z.object({
    source: z.string(),
    event_id: z.string(),
    tool: z.enum(RELEASE_TOOLS),
    kind: z.enum(STEP_KINDS),
    change_type: z.enum(CHANGE_TYPES),
    happened: number,
    received: number,
    service: z.string(),
    target: z.string(),
    system: z.string(),
    environment: z.string(),
    version_from: z.string(),
    version_to: z.string(),
    artifact: z.string(),
    config_hash: z.string(),
    vcs_revision: z.string(),
    pipeline: z.string(),
    actor: z.string(),
    ticket: z.string(),
    release_key: z.string(),
    order_id: z.string(),
    batch_no: number,
    batch_total: number,
    replicas_new: number,
    replicas_total: number,
    scope: z.string(),
    parameters: z.string(),
    is_reversible: number,
    description: z.string(),
  }),
)

/** Steps in memory: months of 200 releases a day. The oldest go. */
const STEPS_MAX = 50_000
// Rows become visible a little after the instant that they carry.
const OVERLAP_MS = 120_000

/** @returns steps that came since an instant, by our clock */
export function buildToldSteps(store: Pick<Store, 'ask'>) {
  const kept = new Map<string, ReleaseStep>()
  let keptFromMs = Infinity
  let newestMs = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function read(sinceMs: number): Promise<readonly ReleaseStep[]> {
    const isKnown = sinceMs >= keptFromMs
    const askedFromMs = isKnown ? Math.max(sinceMs, newestMs - OVERLAP_MS) : sinceMs
    const rows = await store.ask(question, {
      since: sqlMillisecond(Math.max(0, askedFromMs)),
      limit: STEPS_MAX,
    })
    for (const row of rows) kept.set(JSON.stringify([row.source, row.event_id]), stepOf(row))
    keptFromMs = Math.min(keptFromMs, sinceMs)
    newestMs = rows.reduce((newest, { received }) => Math.max(newest, received), newestMs)
    if (kept.size > STEPS_MAX) dropOldest()
    return [...kept.values()].filter(({ receivedAt }) => receivedAt >= sinceMs)
  }

  function dropOldest(): void {
    const byAge = [...kept].toSorted(([, a], [, b]) => b.receivedAt - a.receivedAt)
    for (const [key] of byAge.slice(STEPS_MAX)) kept.delete(key)
  }

  return (sinceMs: number): Promise<readonly ReleaseStep[]> => {
    const mine = turn.then(() => read(sinceMs))
    turn = mine.catch(() => undefined)
    return mine
  }
}

function stepOf(row: z.infer<typeof question.row>): ReleaseStep {
  return {
    source: row.source,
    eventId: row.event_id,
    tool: row.tool,
    kind: row.kind,
    changeType: row.change_type,
    at: row.happened,
    receivedAt: row.received,
    service: row.service,
    target: row.target,
    system: row.system,
    environment: row.environment,
    versionFrom: row.version_from,
    versionTo: row.version_to,
    artifact: row.artifact,
    configHash: row.config_hash,
    vcsRevision: row.vcs_revision,
    pipeline: row.pipeline,
    actor: row.actor,
    ticket: row.ticket,
    releaseKey: row.release_key,
    orderId: row.order_id,
    batchNo: row.batch_no,
    batchTotal: row.batch_total,
    replicasNew: row.replicas_new,
    replicasTotal: row.replicas_total,
    scope: scopeOf(row.scope),
    parameters: parametersOf(row.parameters),
    isReversible: row.is_reversible === 1,
    description: row.description,
  }
}

// As the door wrote it (ingest/releases/step-rows.ts).
const Scope = z.object({
  selectors: z.array(
    z.object({
      attribute: z.string(),
      match: z.enum(['exact', 'prefix', 'regex']),
      values: z.array(z.string()),
    }),
  ),
  weightPercent: z.number().optional(),
})
const Parameters = z.record(z.string(), z.string())

function scopeOf(text: string): ReleaseScope {
  const { selectors, weightPercent } = Scope.parse(JSON.parse(text))
  return { selectors, weightPercent }
}

const parametersOf = (text: string) => Parameters.parse(JSON.parse(text))
