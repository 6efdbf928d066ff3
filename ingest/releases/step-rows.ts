// Release steps as rows of `release_steps`. The step is a pure function of its event, so a step that is missing beside its event
// can be made at any time.

import { createHash } from 'node:crypto'
import type { ReleaseStep } from '../records/release-step.ts'
import type { Columns, Store } from '../store/store.ts'

const instant = (name: string) => ({
  type: 'Int64',
  value: `fromUnixTimestamp64Milli(${name}, 'UTC')`,
})

const COLUMNS: Columns = {
  source: 'String',
  event_id: 'String',
  tool: 'String',
  kind: 'String',
  change_type: 'String',
  at: instant('at'),
  received_at: instant('received_at'),
  service: 'String',
  target: 'String',
  system: 'String',
  environment: 'String',
  version_from: 'String',
  version_to: 'String',
  artifact: 'String',
  config_hash: 'String',
  vcs_revision: 'String',
  pipeline: 'String',
  actor: 'String',
  ticket: 'String',
  release_key: 'String',
  order_id: 'String',
  batch_no: 'UInt32',
  batch_total: 'UInt32',
  replicas_new: 'UInt32',
  replicas_total: 'UInt32',
  scope: 'String',
  parameters: 'String',
  is_reversible: 'UInt8',
  description: 'String',
}

const rowOf = (step: ReleaseStep) => ({
  source: step.source,
  event_id: step.eventId,
  tool: step.tool,
  kind: step.kind,
  change_type: step.changeType,
  at: step.at,
  received_at: step.receivedAt,
  service: step.service,
  target: step.target,
  system: step.system,
  environment: step.environment,
  version_from: step.versionFrom,
  version_to: step.versionTo,
  artifact: step.artifact,
  config_hash: step.configHash,
  vcs_revision: step.vcsRevision,
  pipeline: step.pipeline,
  actor: step.actor,
  ticket: step.ticket,
  release_key: step.releaseKey,
  order_id: step.orderId,
  batch_no: step.batchNo,
  batch_total: step.batchTotal,
  replicas_new: step.replicasNew,
  replicas_total: step.replicasTotal,
  scope: JSON.stringify(step.scope),
  parameters: JSON.stringify(step.parameters),
  is_reversible: step.isReversible ? 1 : 0,
  description: step.description,
})

/** One insert with a token of its content, so that the same call again adds nothing. @throws StoreError */
export async function insertSteps(
  store: Pick<Store, 'insertRows'>,
  steps: readonly ReleaseStep[],
): Promise<void> {
  if (steps.length === 0) return
  const rows = steps.map(rowOf)
  const token = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
  await store.insertRows('release_steps', COLUMNS, rows, `release-steps/${token}`)
}
