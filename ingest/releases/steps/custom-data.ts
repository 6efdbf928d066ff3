// What a sender says of a release beside the standard fields: CDEvents `customData`, the `payload` of a GitHub deployment, the body
// of a manual entry. One vocabulary for all of them, with the synonyms that senders use; every member may be left out.

import {
  CHANGE_TYPES,
  STEP_KINDS,
  type ChangeType,
  type ReleaseScope,
  type StepKind,
} from '../../records/release-step.ts'
import { isObject, member } from '../../pipeline/json-text.ts'
import { told, toldNumber, type StepDraft } from './step-draft.ts'
import { scopeOf } from './scope.ts'

/** What the data say, without what they leave out: spread it over what the event itself says. */
export type ToldFacts = { readonly [Key in Exclude<keyof StepDraft, 'tool'>]?: StepDraft[Key] | undefined }

export function toldFacts(data: unknown): ToldFacts {
  if (!isObject(data)) return {}
  const order = member(data, 'order')
  const scope = exposureOf(data)
  const isReversible = member(data, 'reversible') ?? member(data, 'isReversible')
  const parameters = parametersOf(member(data, 'parameters'))
  return withoutAbsent({
    kind: stepKind(told(data, 'kind', 'phase')),
    changeType: changeType(told(data, 'changeType', 'change_type')),
    service: told(data, 'service', 'service.id', 'service.name'),
    target: told(data, 'target', 'host', 'client'),
    system: told(data, 'system'),
    environment: told(data, 'environment', 'environment.id'),
    versionFrom: told(data, 'versionFrom', 'previousVersion', 'from'),
    versionTo: told(data, 'version', 'versionTo', 'to'),
    artifact: told(data, 'artifact', 'artifactId', 'image'),
    configHash: told(data, 'configHash', 'manifestHash'),
    vcsRevision: told(data, 'vcsRevision', 'revision', 'commit', 'sha'),
    pipeline: told(data, 'pipeline', 'pipelineUrl'),
    actor: told(data, 'actor', 'user', 'approver'),
    ticket: told(data, 'ticket', 'changeId', 'change.id'),
    releaseKey: told(data, 'releaseKey', 'deploymentId'),
    orderId: isObject(order) ? told(order, 'id', 'name') : told(data, 'order', 'orderId'),
    batchNo: toldNumber(data, 'order.batchNo', 'order.batch', 'batchNo', 'batch'),
    batchTotal: toldNumber(data, 'order.batchTotal', 'order.batches', 'batchTotal'),
    replicasNew: toldNumber(data, 'exposure.replicasNew', 'exposure.replicas.new', 'replicasNew'),
    replicasTotal: toldNumber(data, 'exposure.replicasTotal', 'exposure.replicas.total', 'replicasTotal'),
    scope,
    parameters: Object.keys(parameters).length === 0 ? undefined : parameters,
    isReversible: typeof isReversible === 'boolean' ? isReversible : undefined,
    description: told(data, 'description'),
  })
}

/** Leaves out what is undefined or an empty text, so that it replaces nothing it is spread over. */
export function withoutAbsent<Facts extends object>(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''),
  ) as Facts
}

// Words that tools use for the kinds beside our own.
const KIND_WORDS: Readonly<Record<string, StepKind>> = {
  queued: 'requested',
  pending: 'requested',
  scheduled: 'requested',
  waiting: 'requested',
  begin: 'started',
  start: 'started',
  running: 'started',
  in_progress: 'started',
  progressing: 'started',
  scaled: 'step',
  widened: 'step',
  resumed: 'step',
  deployed: 'ready',
  serving: 'ready',
  upgraded: 'ready',
  success: 'completed',
  succeeded: 'completed',
  successful: 'completed',
  finished: 'completed',
  promoted: 'completed',
  done: 'completed',
  suspended: 'paused',
  canceled: 'aborted',
  cancelled: 'aborted',
  stopped: 'aborted',
  failure: 'failed',
  error: 'failed',
  degraded: 'failed',
  rolledback: 'rolled_back',
  rollback: 'rolled_back',
  reverted: 'rolled_back',
  deleted: 'removed',
  inactive: 'removed',
  approved: 'noted',
}

/** One of our kinds, or a word of another tool for it, in any case and with `-` or `_`. */
export function stepKind(word: string): StepKind | undefined {
  const plain = word.trim().toLowerCase().replaceAll(/[\s-]/g, '_')
  const own = STEP_KINDS.find((kind) => kind === plain)
  return own ?? (Object.hasOwn(KIND_WORDS, plain) ? KIND_WORDS[plain] : undefined)
}

const TYPE_WORDS: Readonly<Record<string, ChangeType>> = {
  application: 'code',
  service: 'code',
  configuration: 'config',
  parameter: 'config',
  feature_flag: 'flag',
  toggle: 'flag',
  database: 'schema',
  migration: 'schema',
  ddl: 'schema',
  infrastructure: 'infra',
  environment: 'infra',
  host: 'host_patch',
  patch: 'host_patch',
  os: 'host_patch',
  scale: 'scaling',
  capacity: 'scaling',
  firewall: 'network',
  dns: 'network',
  route: 'network',
  app: 'client',
  mobile: 'client',
}

export function changeType(word: string): ChangeType | undefined {
  const plain = word.trim().toLowerCase().replaceAll(/[\s-]/g, '_')
  const own = CHANGE_TYPES.find((type) => type === plain)
  return own ?? (Object.hasOwn(TYPE_WORDS, plain) ? TYPE_WORDS[plain] : undefined)
}

/** `scope` or `exposure.scope`, the weight of either, and selectors that stand beside them (`region`, `branch`, `teller` …). */
function exposureOf(data: Readonly<Record<string, unknown>>): ReleaseScope | undefined {
  const inner = scopeOf(member(data, 'exposure', 'scope') ?? member(data, 'scope'))
  const beside = scopeOf(
    Object.fromEntries(
      [...BESIDE].flatMap((key) => (Object.hasOwn(data, key) ? [[key, data[key]] as const] : [])),
    ),
  )
  const exposure = member(data, 'exposure')
  const headers = scopeOf({ headers: member(data, 'exposure', 'headers') ?? member(data, 'headers') })
  const weightPercent =
    toldNumber(exposure, 'weight', 'weightPercent', 'percent') ??
    toldNumber(data, 'weight', 'weightPercent', 'percent') ??
    inner.weightPercent
  const selectors = [...inner.selectors, ...beside.selectors, ...headers.selectors]
  return selectors.length === 0 && weightPercent === undefined ? undefined : { selectors, weightPercent }
}

const BESIDE = [
  'site',
  'region',
  'branch',
  'branches',
  'teller',
  'tellers',
  'tellerGroup',
  'channel',
  'zone',
  'cluster',
] as const

/** An object of scalars, or a list of `{name, value}`; what is neither text nor number nor boolean is kept as JSON. */
export function parametersOf(value: unknown): Readonly<Record<string, string>> {
  const text = (item: unknown) =>
    typeof item === 'string' ? item : item == null ? '' : JSON.stringify(item).slice(0, 4096)
  if (Array.isArray(value))
    return Object.fromEntries(
      value.flatMap((item) => {
        const name = told(item, 'name', 'key')
        return name === '' ? [] : [[name, text(member(item, 'value'))] as const]
      }),
    )
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, text(item)]))
}
