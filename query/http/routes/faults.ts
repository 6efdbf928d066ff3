// Faults and what explains them, and the door for outside alarms.

import { buildFaultBook } from '../../faults/fault-book.ts'
import { AHEAD_MAX_MS, externalAlarm } from '../../faults/external-alarm.ts'
import { readFault, readFaults } from '../../faults/fault-reads.ts'
import { buildRelated } from '../../faults/lately-called.ts'
import { mayRead, systemsOf } from '../../people/read-scope.ts'
import { NotAllowed } from '../../people/write-rules.ts'
import { systemOf, type Landscape } from '../../profiles/landscape.ts'
import { iso, parseInstant } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { notFound, rangeOf } from '../errors.ts'
import {
  ExternalFault,
  ExternalFaultReply,
  FaultParams,
  FaultReply,
  FaultsQuery,
  FaultsReply,
} from '../fault-schemas.ts'
import { ApiRefusal, ContentRefused } from '../refusals.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const RETRY_AFTER_SECONDS = 60
/** Older alarms say nothing that the store still knows in detail. */
const BACK_MAX_MS = 24 * 3_600_000

export function faultRoutes(
  app: TypedApp,
  { store, database, clock }: ApiParts,
  landscape: () => Promise<Landscape>,
): void {
  const book = buildFaultBook(database, buildRelated(store, clock))
  const tags = ['faults']

  app.get(
    '/api/v1/faults',
    {
      schema: {
        summary: 'Faults that began or lasted in a range, newest first, each with its verdict',
        tags,
        querystring: FaultsQuery,
        response: { 200: FaultsReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const range = rangeOf(call.query, clock)
      const { service, release, limit } = call.query
      const filter = { service, release, systems: systemsOf(principalOf(call).scope) }
      const items = await readFaults(database, range, filter, limit)
      return { from: iso(range.fromMs), to: iso(range.toMs), items }
    },
  )

  app.get(
    '/api/v1/faults/:id',
    {
      schema: {
        summary: 'One fault: its newest explanation and every decision so far',
        description:
          'Explained at once, every 15 s for two minutes, every minute for an hour, then after 3 h and 24 h. Whoever may read the fault may read its whole explanation.',
        tags,
        params: FaultParams,
        response: { 200: FaultReply, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { id } = call.params
      const found = await readFault(database, id, systemsOf(principalOf(call).scope))
      return found ?? notFound(reply, `There is no fault «${id}». GET /api/v1/faults lists them.`)
    },
  )

  app.post(
    '/api/v1/faults',
    {
      config: { access: { door: 'api', scope: 'operate' } },
      schema: {
        summary: 'Tell of an alarm of another tool, to have it explained',
        description:
          'The same id again changes nothing (200). An alarm of a service that has a fault, or of one that calls it or is called by it, within minutes joins that fault.',
        tags,
        body: ExternalFault,
        response: {
          200: ExternalFaultReply,
          201: ExternalFaultReply,
          400: Problem,
          403: Problem,
          503: Problem,
        },
      },
    },
    async (call, reply) => {
      const { at, service } = call.body
      const nowMs = clock.now()
      const atMs = alarmInstant(at, nowMs)
      const system = systemOf(await landscape(), service, '')
      if (!mayRead(principalOf(call).scope, system))
        throw new NotAllowed(`The service «${service}» belongs to a system that you may not read`)
      const taken = await book.take(externalAlarm(call.body, atMs, system), nowMs)
      if (taken.kind === 'refused')
        throw new ApiRefusal(
          503,
          'SURETY_FAULTS_FULL',
          'Too many faults are open to take another. Send the same alarm again later.',
          { 'retry-after': String(RETRY_AFTER_SECONDS) },
        )
      return reply.code(taken.kind === 'known' ? 200 : 201).send({ fault: taken.fault, result: taken.kind })
    },
  )
}

/** @throws ContentRefused */
function alarmInstant(text: string, nowMs: number): number {
  const refuse = (message: string) =>
    new ContentRefused('SURETY_INVALID_REQUEST', [{ place: 'body.at', message }])
  const atMs = parseInstant(text, nowMs)
  if (atMs === undefined) throw refuse('is not a date that exists')
  if (atMs > nowMs + AHEAD_MAX_MS)
    throw refuse(`lies ahead of now (${iso(nowMs)}) by more than a minute; check the sender's clock`)
  if (atMs < nowMs - BACK_MAX_MS)
    throw refuse('lies more than a day back; «surety replay» explains what is long past')
  return atMs
}
