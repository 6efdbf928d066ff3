// GitHub's webhooks `deployment` and `deployment_status`. The first says only that one was asked for; what became of it comes in the
// second, and `deployment.id` joins the two. More facts come in `deployment.payload`, with the vocabulary of custom-data.ts.
// Source: octokit/webhooks, payload-examples/api.github.com; GitHub documentation, "Webhook events and payloads".

import type { ReleaseStep, StepKind } from '../../records/release-step.ts'
import { member, readJson } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { toldFacts, withoutAbsent } from './custom-data.ts'
import { headerOf, refusedHook, storable, type HookAnswer, type HookRequest } from './hook-event.ts'
import { buildStep, told, type StepEvent } from './step-draft.ts'
import { looksLikeVersion } from './version-text.ts'

export const GITHUB_TYPE = 'com.github.'

export function githubEvent({ headers, value }: HookRequest): HookAnswer {
  const event = headerOf(headers, 'x-github-event')
  if (!/^[a-z_]{1,64}$/.test(event))
    return refusedHook('x-github-event', 'must name the event, such as deployment_status; GitHub sends it')
  const id = headerOf(headers, 'x-github-delivery')
  if (id === '') return refusedHook('x-github-delivery', 'is missing; GitHub sends one with every delivery')
  return {
    kind: 'event',
    identity: {
      source: told(value, 'repository.html_url') || '/github',
      id,
      type: GITHUB_TYPE + event,
      at: instantOf(
        told(value, 'deployment_status.created_at', 'deployment.created_at', 'deployment.updated_at'),
      ),
      subject: told(value, 'repository.full_name'),
    },
  }
}

const STATES: Readonly<Record<string, StepKind>> = {
  queued: 'requested',
  pending: 'requested',
  waiting: 'requested',
  in_progress: 'started',
  success: 'completed',
  failure: 'failed',
  error: 'failed',
  // A later deployment took its place.
  inactive: 'removed',
}

/** @returns undefined for every event but the two */
export function githubStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const name = event.type.slice(GITHUB_TYPE.length)
  const state = told(value, 'deployment_status.state')
  const kind =
    name === 'deployment_status'
      ? Object.hasOwn(STATES, state)
        ? STATES[state]
        : 'noted'
      : name === 'deployment'
        ? 'requested'
        : undefined
  if (kind === undefined) return undefined
  const facts = toldFacts(payloadOf(value))
  const sha = told(value, 'deployment.sha')
  const ref = told(value, 'deployment.ref')
  const task = told(value, 'deployment.task')
  const isRollback = /^roll[-_]?back/i.test(task)
  return buildStep(event, {
    ...withoutAbsent({
      at: storable(instantOf(told(value, 'deployment_status.created_at', 'deployment.created_at'))),
      changeType: /^(?:deploy:)?migrat/i.test(task) ? ('schema' as const) : undefined,
      service: told(value, 'repository.name'),
      environment: told(value, 'deployment_status.environment', 'deployment.environment'),
      versionTo: looksLikeVersion(ref) ? ref : sha,
      vcsRevision: sha,
      pipeline: told(
        value,
        'deployment_status.log_url',
        'deployment_status.target_url',
        'workflow_run.html_url',
        'deployment.url',
      ),
      actor: told(value, 'deployment_status.creator.login', 'deployment.creator.login', 'sender.login'),
      releaseKey: keyOf(value),
      description: told(value, 'deployment_status.description', 'deployment.description'),
    }),
    ...facts,
    tool: 'github',
    // A phase in the payload is of the deployment as a whole and says nothing of this state.
    kind: kind === 'completed' && isRollback ? 'rolled_back' : kind,
  })
}

function keyOf(value: unknown): string {
  const id = told(value, 'deployment.id')
  return id === '' ? '' : `github/${told(value, 'repository.full_name')}/deployments/${id}`
}

/** An object, or its JSON as a text: both are what the API of deployments takes. */
function payloadOf(value: unknown): unknown {
  const payload = member(value, 'deployment', 'payload')
  if (typeof payload !== 'string') return payload
  const json = readJson(Buffer.from(payload, 'utf8'))
  return json.kind === 'json' ? json.value : undefined
}
