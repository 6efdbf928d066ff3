// The spans of a stretch of history as an OTLP request, as the bank's own SDKs would have sent them: resources and
// attributes as in ../instance/telemetry.ts and ../instance/headers.ts.

import { isOrigin, type Cast, type CastAudience, type CastResource, type CastStep } from './cast.ts'
import { instanceId, placeAttributes } from './place.ts'
import { play, type SpanId, type Stage, type Trace } from './play.ts'
import { attribute, attributes, Bytes, field, integer } from './wire.ts'
import { varint } from '../../../ingest/pipeline/varint.ts'
import type { World } from './world.ts'

const SERVER = 2
const CLIENT = 3
const MINUTE_MS = 60_000
const SPAN_BYTES_MAX = 4096
const MINUTE_DIGITS = 8
const SEQUENCE_DIGITS = 6

export type SpanRequest = { readonly bytes: Buffer; readonly spans: number }

/**
 * A writer for one world; it keeps the fragments that spans share.
 * @returns a function of a stretch of minutes since 1970, the last one not included
 */
export function buildSpanWriter(
  cast: Cast,
  seed: number,
): (fromMinute: number, toMinute: number) => SpanRequest {
  const { world } = cast
  const heads = cast.resources.map((resource) => resourceHead(world, resource))
  const bodies = cast.resources.map(() => new Bytes())
  const scope = field(1, Buffer.concat([field(1, '@opentelemetry/instrumentation-http'), field(2, '1')]))
  const state = world.oneIn === 1 ? Buffer.alloc(0) : field(3, `ot=th:${threshold(world.oneIn)}`)
  const audiences = cast.audiences.map((audience) => audienceFragments(audience))
  const txnCodes = new Map(
    world.journeys.map(({ txnCode }) => [txnCode, attribute(9, 'bank.txn.code', txnCode)]),
  )
  const txnHead = transactionHead()
  const names = cast.steps.map(({ method, route }) => ({
    server: Buffer.concat([field(5, `${method} ${route}`), integer(6, SERVER)]),
    client: Buffer.concat([field(5, `${method} ${route}`), integer(6, CLIENT)]),
  }))
  const servers: (Buffer | undefined)[] = []
  const clients: (Buffer | undefined)[] = []
  const events = cast.answers.map((answer) =>
    isOrigin(answer)
      ? Buffer.concat([
          field(2, 'exception'),
          attributes(3, { 'exception.type': answer.code, 'exception.message': answer.message }),
        ])
      : undefined,
  )

  let trace: Trace | undefined
  let minuteNow = 0
  const stage: Stage = {
    minute(minute) {
      minuteNow = minute
      for (const body of bodies) body.origin(minute * MINUTE_MS)
    },
    trace(next) {
      trace = next
    },
    server(step, resource, startNs, endNs, id, parent, answer) {
      const body = bodies[resource]
      if (body === undefined || trace === undefined) return
      const place = open(body, trace, id, parent)
      body.put(names[step.id]?.server ?? EMPTY)
      times(body, startNs, endNs)
      const key = step.id * cast.answers.length + answer
      body.put((servers[key] ??= serverAttributes(cast, step, answer)))
      const audience = audiences[trace.audience]
      body.put(audience?.common ?? EMPTY)
      body.put(audience?.people[trace.person] ?? EMPTY)
      body.put(txnCodes.get(trace.txnCode) ?? EMPTY)
      body.put(txnHead)
      body.digits(minuteNow, MINUTE_DIGITS)
      body.byte(0x68)
      body.digits(trace.sequence, SEQUENCE_DIGITS)
      const event = events[answer]
      if (event !== undefined) {
        body.byte(0x5a)
        const within = body.openLength()
        body.byte(0x09)
        body.instant(endNs)
        body.put(event)
        body.closeLength(within)
      }
      body.closeLength(place)
    },
    client(step, resource, startNs, endNs, id, parent, answer) {
      const body = bodies[resource]
      if (body === undefined || trace === undefined) return
      const place = open(body, trace, id, parent)
      body.put(names[step.id]?.client ?? EMPTY)
      times(body, startNs, endNs)
      const key = step.id * cast.answers.length + answer
      body.put((clients[key] ??= clientAttributes(cast, step, answer)))
      body.closeLength(place)
    },
  }

  function open(body: Bytes, { id }: Trace, span: SpanId, parent: SpanId | undefined): number {
    body.reserve(SPAN_BYTES_MAX)
    body.byte(0x12)
    const place = body.openLength()
    body.byte(0x0a)
    body.byte(16)
    for (const word of id) body.word(word)
    body.byte(0x12)
    body.byte(8)
    body.word(span.high)
    body.word(span.low)
    body.put(state)
    if (parent !== undefined) {
      body.byte(0x22)
      body.byte(8)
      body.word(parent.high)
      body.word(parent.low)
    }
    return place
  }

  return (fromMinute, toMinute) => {
    for (const body of bodies) body.clear()
    const spans = play(cast, seed, fromMinute, toMinute, stage)
    const pieces = bodies.flatMap((body, index) => {
      if (body.length === 0) return []
      const head = heads[index] ?? EMPTY
      const scoped = scope.length + body.length
      const lengthOfScoped = varint(scoped)
      const whole = head.length + 1 + lengthOfScoped.length + scoped
      return [
        Buffer.concat([RESOURCE_SPANS, varint(whole), head, SCOPE_SPANS, lengthOfScoped, scope]),
        body.view(),
      ]
    })
    return { bytes: Buffer.concat(pieces), spans }
  }
}

const EMPTY = Buffer.alloc(0)
const RESOURCE_SPANS = Buffer.from([0x0a])
const SCOPE_SPANS = Buffer.from([0x12])

function times(body: Bytes, startNs: number, endNs: number): void {
  body.byte(0x39)
  body.instant(startNs)
  body.byte(0x41)
  body.instant(endNs)
}

/** The rejection threshold of OpenTelemetry's probability sampling: 56 bits in hexadecimal, zeros at the end left out. */
const threshold = (oneIn: number): string => (256 - 256 / oneIn).toString(16).replace(/0$/, '')

function resourceHead(world: World, resource: CastResource): Buffer {
  const { service, system, version, site } = resource
  const of = {
    'service.name': service,
    'service.namespace': system,
    'service.version': version,
    'service.instance.id': instanceId(resource),
    'telemetry.sdk.language': 'nodejs',
    'bank.system': system,
    ...placeAttributes(world, site),
  }
  return field(1, attributes(1, of))
}

function audienceFragments({ channel, region, branch, people }: CastAudience) {
  const common = {
    'bank.channel': channel,
    'bank.region': region,
    ...(branch === undefined ? {} : { 'bank.branch': branch }),
  }
  const person = ({ teller, clientVersion }: CastAudience['people'][number]) =>
    attributes(9, {
      'bank.client.version': clientVersion,
      ...(teller === undefined ? {} : { 'bank.teller': teller }),
    })
  return { common: attributes(9, common), people: people.map(person) }
}

const errorStatus = (message: string) =>
  field(15, Buffer.concat([message === '' ? EMPTY : field(2, message), integer(3, 2)]))

function serverAttributes(cast: Cast, step: CastStep, answer: number): Buffer {
  const { code, status, message } = cast.answers[answer] as Cast['answers'][number]
  return Buffer.concat([
    status >= 500 ? errorStatus(message) : EMPTY,
    attributes(9, {
      'http.request.method': step.method,
      'http.route': step.route,
      'http.response.status_code': status,
      'server.address': cast.world.services[step.service]?.name ?? '',
      'bank.return.code': code,
    }),
  ])
}

function clientAttributes(cast: Cast, step: CastStep, answer: number): Buffer {
  const { status } = cast.answers[answer] as Cast['answers'][number]
  const callee = cast.world.services[step.service]?.name ?? ''
  return Buffer.concat([
    status >= 400 ? errorStatus('') : EMPTY,
    attributes(9, {
      'http.request.method': step.method,
      'url.template': step.route,
      'peer.service': callee,
      'server.address': callee,
      'http.response.status_code': status,
    }),
  ])
}

/** `bank.txn.id` up to its digits: a letter stands between minute and number, so that it never looks like a card's. */
function transactionHead(): Buffer {
  const length = 2 + MINUTE_DIGITS + 1 + SEQUENCE_DIGITS
  const whole = attribute(9, 'bank.txn.id', 'H'.repeat(length))
  const head = whole.subarray(0, whole.length - length)
  return Buffer.concat([head, Buffer.from('TX')])
}
