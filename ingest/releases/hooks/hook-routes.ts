// The doors of foreign webhooks, POST /api/v1/releases/hooks/…, and of manual entries, as a Fastify plugin. A body is bytes until its
// signature is verified.
//
// States of a request: received → proved (its signature, or the bearer token that the guard has asked for) → parsed → identified →
// stored; a refused one ends before the store has heard of it.

import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { ReleaseEventRecord } from '../../records/release-event.ts'
import type { ReleaseStep } from '../../records/release-step.ts'
import type { Access } from '../../runtime/guarded-routes.ts'
import { NO_TOKEN } from '../../runtime/tokens.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isObject, member, readJson } from '../../pipeline/json-text.ts'
import {
  BODY_BYTES_MAX,
  NO_BODY,
  sendProblem,
  storeAndAnswer,
  type RefusalStatus,
  type RefusedRelease,
} from '../door-replies.ts'
import type { Problem } from '../event-fields.ts'
import type { ReleaseEventStore } from '../release-event-store.ts'
import { argoCdEvent } from '../steps/argo-cd.ts'
import { argoRolloutsEvent, rolloutObject } from '../steps/argo-rollouts.ts'
import { githubEvent } from '../steps/github.ts'
import { gitlabEvent } from '../steps/gitlab.ts'
import { hookRecord, type HookAnswer, type HookIdentity, type HookRequest } from '../steps/hook-event.ts'
import { buildWorkloadMemory, kubernetesEvent } from '../steps/kubernetes.ts'
import { parseManual } from '../steps/manual.ts'
import { mappedEvent, type HookMapping } from '../steps/mapped.ts'
import type { StepEvent } from '../steps/step-draft.ts'
import type { OwnHook } from './hook-secrets.ts'
import { OWN_HOOKS } from './hook-mappings.ts'
import { verifyHook, type HookLock, type HookProof } from './signature.ts'

export const HOOKS_PATH = '/api/v1/releases/hooks'
export const MANUAL_PATH = '/api/v1/releases/manual'
/** Objects of a Kubernetes watch whose size is remembered, about 2 KiB each. */
const WORKLOADS_MAX = 5000

/** Who proves himself how; without a lock a bearer token with the scope `releases` is asked for. */
export type HookDoor = {
  readonly lock: HookLock | undefined
  /** Headers that would prove a sender, were a secret set. */
  readonly proofs: readonly HookProof[]
  /** What sets the secret. */
  readonly setBy: string
}

export type HookRoutesOptions = {
  readonly store: ReleaseEventStore
  readonly clock: Clock
  readonly own: Readonly<Record<OwnHook, HookDoor>>
  readonly mapped: readonly (HookDoor & { readonly mapping: HookMapping })[]
  readonly stepOf: (event: StepEvent) => ReleaseStep | undefined
  readonly onRefused?: (refusal: RefusedRelease) => void
}

/**
 * To be registered (`app.register(hookRoutes, …)`), which gives it a parser of its own.
 *
 * Replies: 201 when the event was new, 200 when it was known or there is nothing to keep; 400, 401, 404, 413, 415 and 503 as problem
 * details. Errors that the store does not call retryable go on to the application.
 */
export async function hookRoutes(app: FastifyInstance, options: HookRoutesOptions): Promise<void> {
  const { store, clock, own, mapped, stepOf, onRefused } = options
  const memory = buildWorkloadMemory(WORKLOADS_MAX)
  const identify: Readonly<Record<OwnHook, (request: HookRequest) => HookAnswer>> = {
    github: githubEvent,
    gitlab: gitlabEvent,
    'argo-cd': argoCdEvent,
    'argo-rollouts': argoRolloutsEvent,
    kubernetes: (request) =>
      rolloutObject(request.value) === undefined
        ? kubernetesEvent(request, memory)
        : argoRolloutsEvent(request),
  }

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  function refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    status: RefusalStatus,
    problems: readonly Problem[],
    body: Buffer = NO_BODY,
  ) {
    const door = doorOf(request, mapped)
    onRefused?.({ door, status, receivedAt: clock.now(), problems, body })
    return sendProblem(reply, status, REFUSALS[status].code, REFUSALS[status].detail, problems)
  }

  app.setErrorHandler<Error & { readonly code?: string }>((error, request, reply) => {
    if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error
    const message = `is larger than ${BODY_BYTES_MAX} bytes (1 MiB), which is the most that is taken`
    return refuse(request, reply, 413, [{ place: 'body', message }])
  })

  /** Bytes that are proved and whole, or the reply that refuses them. */
  function admit(
    request: FastifyRequest,
    reply: FastifyReply,
    door: HookDoor | undefined,
  ): { readonly bytes: Buffer } | { readonly refused: FastifyReply } {
    const bytes = Buffer.isBuffer(request.body) ? request.body : NO_BODY
    const problem = door === undefined ? undefined : proofProblem(door, request, bytes)
    if (problem !== undefined) return { refused: refuse(request, reply, 401, [problem]) }
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') {
      const message = 'must be identity; send the body uncompressed'
      return { refused: refuse(request, reply, 415, [{ place: 'content-encoding', message }]) }
    }
    return { bytes }
  }

  async function take(
    request: FastifyRequest,
    reply: FastifyReply,
    door: HookDoor,
    identifyEvent: (request: HookRequest) => HookAnswer,
  ) {
    const admitted = admit(request, reply, door)
    if ('refused' in admitted) return admitted.refused
    const json = readJson(payloadOf(request, admitted.bytes))
    if (json.kind === 'refused')
      return refuse(request, reply, 400, [{ place: 'body', message: json.message }], admitted.bytes)
    if (!isObject(json.value))
      return refuse(
        request,
        reply,
        400,
        [{ place: 'body', message: 'must be a JSON object' }],
        admitted.bytes,
      )
    const receivedAt = clock.now()
    const { headers } = request
    const answer = identifyEvent({ headers, value: json.value, text: json.text, receivedAt })
    if (answer.kind === 'refused') return refuse(request, reply, 400, answer.problems, admitted.bytes)
    if (answer.kind === 'nothing') return storeAndAnswer(reply, store, [])
    return storeAndAnswer(reply, store, [recordOf(answer.identity, json.text, receivedAt)])
  }

  const recordOf = (identity: HookIdentity, body: string, receivedAt: number): ReleaseEventRecord =>
    hookRecord(identity, body, receivedAt, stepOf)

  const post = (url: string, access: Access | ((request: FastifyRequest) => Access), summary: string) =>
    ({
      method: 'POST',
      url,
      bodyLimit: BODY_BYTES_MAX,
      schema: description(summary),
      config: { access },
    }) as const

  for (const name of OWN_HOOKS) {
    const door = own[name]
    app.route({
      ...post(`${HOOKS_PATH}/${name}`, accessOf(door), `Take a webhook of ${name}`),
      handler: (request, reply) => take(request, reply, door, identify[name]),
    })
  }
  const mappedOf = (request: FastifyRequest) =>
    mapped.find(({ mapping }) => mapping.name === member(request.params, 'name'))
  app.route({
    ...post(
      `${HOOKS_PATH}/:name`,
      (request) => accessOf(mappedOf(request)),
      'Take a webhook that is mapped in SURETY_RELEASE_HOOKS',
    ),
    handler: (request, reply) => {
      const door = mappedOf(request)
      if (door !== undefined) return take(request, reply, door, (hook) => mappedEvent(hook, door.mapping))
      const names = [...OWN_HOOKS, ...mapped.map(({ mapping }) => mapping.name)]
      const message = `is none of ${names.join(', ')}; map it in SURETY_RELEASE_HOOKS`
      return refuse(request, reply, 404, [{ place: 'name', message }])
    },
  })
  app.route({
    ...post(MANUAL_PATH, ACCESS, 'Enter a step of a release by hand'),
    handler: async (request, reply) => {
      const admitted = admit(request, reply, undefined)
      if ('refused' in admitted) return admitted.refused
      const json = readJson(admitted.bytes)
      if (json.kind === 'refused')
        return refuse(request, reply, 400, [{ place: 'body', message: json.message }], admitted.bytes)
      const caller = request.admitted?.token ?? NO_TOKEN
      const parsed = parseManual(json.value, json.text, caller === NO_TOKEN ? '' : caller)
      if (parsed.kind === 'refused') return refuse(request, reply, 400, parsed.problems, admitted.bytes)
      const { source, id } = parsed.identity
      const stored = await storeAndAnswer(reply, store, [recordOf(parsed.identity, parsed.body, clock.now())])
      return 'stored' in stored ? { ...stored, source, id } : stored
    },
  })
}

const ACCESS = { door: 'releases', scope: 'releases' } as const
const accessOf = (door: HookDoor | undefined): Access => (door?.lock === undefined ? ACCESS : 'open')

/** Of the metrics: known names only, so that no sender makes label values. */
function doorOf(request: FastifyRequest, mapped: HookRoutesOptions['mapped']): string {
  const name = request.url.split('?', 1)[0]?.slice(HOOKS_PATH.length + 1) ?? ''
  const names: readonly string[] = [...OWN_HOOKS, ...mapped.map(({ mapping }) => mapping.name)]
  return names.includes(name) ? `releases/${name}` : 'releases'
}

function proofProblem(door: HookDoor, { headers }: FastifyRequest, bytes: Buffer): Problem | undefined {
  const names = door.proofs.map(({ header }) => header).join(' or ')
  if (door.lock === undefined) {
    const given = door.proofs.find(({ header }) => headers[header] !== undefined)
    // A sender that signs expects to be verified.
    return given === undefined
      ? undefined
      : { place: given.header, message: `cannot be verified: no secret is set here; set ${door.setBy}` }
  }
  const verdict = verifyHook(door.lock, headers, bytes)
  if (verdict === 'right') return undefined
  const message =
    verdict === 'missing'
      ? 'is missing; configure the secret at the sender'
      : `is not made with the secret in ${door.setBy} over these bytes; compare the secrets, and let no proxy change the body`
  return { place: names, message }
}

/** JSON as it came, or GitHub's form: `payload=…`. The signature is over the form. */
function payloadOf(request: FastifyRequest, bytes: Buffer): Buffer {
  const type = request.headers['content-type'] ?? ''
  if (!type.toLowerCase().startsWith('application/x-www-form-urlencoded')) return bytes
  const payload = new URLSearchParams(bytes.toString('utf8')).get('payload')
  return payload === null ? bytes : Buffer.from(payload, 'utf8')
}

// For the OpenAPI document, whose plugin lives downstream of here; nothing is validated or serialised by it.
const description = (summary: string) =>
  ({
    summary,
    description: `JSON of at most ${BODY_BYTES_MAX} bytes. Answers {"stored": n, "duplicates": n}: 201 when it was new, 200 when it was known. 400, 401 (the signature or token is wrong; nothing was stored), 404, 413 and 415 are problem+json that names each place; 503 says to send the same request again.`,
    tags: ['releases'],
  }) as FastifySchema

const NOTHING_STORED = 'Nothing of this request was stored.'
const REFUSALS: Readonly<Record<RefusalStatus, { readonly code: string; readonly detail: string }>> = {
  400: {
    code: 'SURETY_RELEASE_EVENT_INVALID',
    detail: `${NOTHING_STORED} Mend what errors names and send it again.`,
  },
  401: {
    code: 'SURETY_RELEASE_HOOK_SIGNATURE',
    detail: `${NOTHING_STORED} Its sender has not proved that he knows the secret.`,
  },
  404: { code: 'SURETY_RELEASE_HOOK_UNKNOWN', detail: `${NOTHING_STORED} There is no such webhook.` },
  413: {
    code: 'SURETY_RELEASE_EVENT_TOO_LARGE',
    detail: `${NOTHING_STORED} At most ${BODY_BYTES_MAX} bytes (1 MiB) are accepted.`,
  },
  415: {
    code: 'SURETY_RELEASE_EVENT_MEDIA_TYPE',
    detail: `${NOTHING_STORED} JSON is accepted, uncompressed.`,
  },
}
