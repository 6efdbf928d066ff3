// GitLab's webhooks: deployments become steps, feature flags a change of their own; pipelines and releases are noted.
// Source: GitLab documentation, "Webhook events", and what its clients have seen: three forms of time in one system.

import type { ReleaseStep, StepKind } from '../../records/release-step.ts'
import { member } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { withoutAbsent } from './custom-data.ts'
import {
  contentId,
  headerOf,
  refusedHook,
  storable,
  type HookAnswer,
  type HookRequest,
} from './hook-event.ts'
import { buildStep, told, type StepDraft, type StepEvent } from './step-draft.ts'
import { looksLikeVersion } from './version-text.ts'

export const GITLAB_TYPE = 'com.gitlab.'

/**
 * `Idempotency-Key` is the same for every try of one delivery; older servers send `X-Gitlab-Event-UUID` alone, which events that one
 * event has set off share, so that what they are about is part of the identity.
 */
export function gitlabEvent({ headers, value, text }: HookRequest): HookAnswer {
  const kind = told(value, 'object_kind')
  if (!/^[a-z_]{1,64}$/.test(kind))
    return refusedHook('object_kind', 'must name the event, such as deployment; GitLab sends it')
  const key = headerOf(headers, 'idempotency-key')
  const uuid = headerOf(headers, 'x-gitlab-event-uuid')
  const about = [kind, told(value, 'deployment_id', 'object_attributes.id', 'id'), statusOf(value)].join('/')
  return {
    kind: 'event',
    identity: {
      source: told(value, 'project.web_url') || '/gitlab',
      id: key !== '' ? key : uuid !== '' ? `${uuid}/${about}` : contentId(text),
      type: GITLAB_TYPE + kind,
      at: gitlabTime(timeOf(value)),
      subject: pathOf(value),
    },
  }
}

const STATUSES: Readonly<Record<string, StepKind>> = {
  created: 'requested',
  // Waits for an approval.
  blocked: 'requested',
  running: 'started',
  success: 'completed',
  failed: 'failed',
  canceled: 'aborted',
  skipped: 'noted',
}

export function gitlabStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const draft = draftOf(event, value)
  if (draft === undefined) return undefined
  const path = pathOf(value)
  return buildStep(event, {
    ...withoutAbsent({
      at: storable(gitlabTime(timeOf(value))),
      service: path.slice(path.lastIndexOf('/') + 1) || told(value, 'project.name'),
      actor: told(value, 'user.username', 'user.name'),
    }),
    ...withoutAbsent(draft),
    tool: 'gitlab',
  })
}

function draftOf(event: StepEvent, value: unknown): Omit<StepDraft, 'tool'> | undefined {
  const path = pathOf(value)
  switch (event.type.slice(GITLAB_TYPE.length)) {
    case 'deployment': {
      const ref = told(value, 'ref')
      const sha = commitOf(told(value, 'commit_url')) || told(value, 'sha', 'short_sha')
      const id = told(value, 'deployment_id')
      return {
        kind: kindOf(told(value, 'status')),
        environment: told(value, 'environment'),
        versionTo: looksLikeVersion(ref) ? ref : told(value, 'short_sha') || sha,
        vcsRevision: sha,
        pipeline: told(value, 'deployable_url'),
        releaseKey: id === '' ? '' : `gitlab/${path}/deployments/${id}`,
        description: told(value, 'commit_title'),
      }
    }
    case 'feature_flag': {
      const name = told(value, 'object_attributes.name')
      const isActive = member(value, 'object_attributes', 'active') === true
      return {
        kind: 'completed',
        changeType: 'flag',
        target: name,
        versionTo: isActive ? 'on' : 'off',
        versionFrom: isActive ? 'off' : 'on',
        parameters: name === '' ? {} : { [name]: String(isActive) },
        // Every turn of the switch is a change of its own.
        releaseKey: `gitlab/${path}/feature_flags/${told(value, 'object_attributes.id')}/${event.id}`,
        description: told(value, 'object_attributes.description'),
      }
    }
    case 'pipeline': {
      const ref = told(value, 'object_attributes.ref')
      return {
        kind: 'noted',
        versionTo: looksLikeVersion(ref) ? ref : '',
        vcsRevision: told(value, 'object_attributes.sha'),
        pipeline:
          told(value, 'object_attributes.url') ||
          `gitlab/${path}/pipelines/${told(value, 'object_attributes.id')}`,
        description: `pipeline ${told(value, 'object_attributes.status')}`,
      }
    }
    case 'release':
      return {
        kind: 'noted',
        versionTo: told(value, 'tag', 'name'),
        vcsRevision: told(value, 'commit.id'),
        pipeline: told(value, 'url'),
        description: told(value, 'name'),
      }
    default:
      return undefined
  }
}

const kindOf = (status: string): StepKind =>
  Object.hasOwn(STATUSES, status) ? (STATUSES[status] ?? 'noted') : 'noted'

const statusOf = (value: unknown) => told(value, 'status', 'object_attributes.status', 'action')
const pathOf = (value: unknown) => told(value, 'project.path_with_namespace', 'project_name', 'project.name')
const commitOf = (url: string) => /\/commit\/([0-9a-f]{7,64})$/.exec(url)?.[1] ?? ''

function timeOf(value: unknown): string {
  return told(
    value,
    'status_changed_at',
    'released_at',
    'object_attributes.updated_at',
    'object_attributes.finished_at',
    'object_attributes.created_at',
    'build_finished_at',
    'build_started_at',
    'created_at',
  )
}

const SPACED = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:UTC|Z|([+-]\d\d):?(\d\d))$/

/** `2021-04-28 21:50:00 +0200`, `2016-08-12 15:23:28 UTC` or RFC 3339, in ms since 1970; undefined for anything else. */
export function gitlabTime(text: string): number | undefined {
  const match = SPACED.exec(text.trim())
  if (match === null) return instantOf(text)
  const [, date = '', time = '', hours, minutes = '00'] = match
  return instantOf(`${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`)
}
