// Changes of SLOs as Server-Sent Events.

import { Counter, Gauge } from 'prom-client'
import { z } from 'zod'
import { problem, PROBLEM_JSON } from '../../../ingest/runtime/http-app.ts'
import { mayRead } from '../../people/read-scope.ts'
import type { Board, Standing } from '../../promises/board.ts'
import { buildChangeFeed, type Listener } from '../../promises/change-feed.ts'
import { toSloItem } from '../../promises/slo-item.ts'
import { placeOf } from '../../promises/standing-place.ts'
import type { KeptTransition } from '../../promises/transitions.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { buildEventStream, eventText, type EventStream } from '../event-stream.ts'
import { Problem } from '../schemas.ts'
import { SloStreamHeaders, SloStreamQuery, type StreamTransition } from '../slo-schemas.ts'
import { knownZone } from './slo-lookup.ts'
import { toTransitionItem } from './slos.ts'
import type { TypedApp } from './typed.ts'

const LISTENERS_MAX = 200
const BEAT_MS = 15_000
/** Then it ends and the listener comes again: whoever was signed out, or may read less now, is asked for it anew. */
const BEATS_MAX = 20
/** A listener that does not take the end is cut off after this. */
const END_MS = 1000

export function sloStreamRoutes(app: TypedApp, parts: ApiParts, board: Board): void {
  const { clock, lifecycle, metrics } = parts
  const feed = buildChangeFeed({ ...parts, board })
  const streams = new Map<EventStream, { beats: number }>()
  const registers = [metrics.registry]
  const listeners = new Gauge({
    name: 'surety_query_stream_listeners',
    help: 'Listeners to changes of SLOs',
    registers,
  })
  const dropped = new Counter({
    name: 'surety_query_stream_dropped_total',
    help: 'Listeners to changes of SLOs that took nothing and were dropped',
    registers,
  })
  const texts = new WeakMap<Standing, Map<string, string>>()
  let beating: NodeJS.Timeout | undefined
  let isStopped = false

  /** Written once for all who read the same clock. */
  function statusText(standing: Standing, timeZone: string): string {
    const byZone = texts.get(standing) ?? new Map<string, string>()
    texts.set(standing, byZone)
    const text = byZone.get(timeZone) ?? eventText('status', toSloItem(standing, clock.now(), timeZone))
    byZone.set(timeZone, text)
    return text
  }

  function beatAll(): void {
    for (const [stream, age] of streams) {
      age.beats += 1
      if (age.beats > BEATS_MAX) stream.end()
      else if (!stream.beat()) dropped.inc()
    }
  }

  function open(stream: EventStream, listener: Listener): void {
    streams.set(stream, { beats: 0 })
    listeners.inc()
    beating ??= setInterval(beatAll, BEAT_MS).unref()
    const leave = feed.listen(listener)
    stream.readable.once('close', () => {
      leave()
      streams.delete(stream)
      listeners.dec()
      if (streams.size > 0) return
      clearInterval(beating)
      beating = undefined
    })
  }

  // Before the registry closes, which the feed reads, and before HTTP, which waits for answers that are under way.
  lifecycle.add('SLO stream', async () => {
    isStopped = true
    await feed.stop()
    const ended = [...streams.keys()].map(
      ({ readable }) => new Promise<void>((resolve) => void readable.once('close', resolve)),
    )
    for (const stream of streams.keys()) stream.end()
    const cutting = setTimeout(() => {
      for (const { readable } of streams.keys()) readable.destroy()
    }, END_MS)
    await Promise.all(ended)
    clearTimeout(cutting)
  })

  app.get(
    '/api/v1/slos/stream',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'Changes of SLOs as Server-Sent Events',
        description:
          'Events: `status`, an item of GET /api/v1/slos that was judged anew; `transition`, with its id; `reset` when more than 1,000 transitions were missed: take the list anew. Listen first, then take the list, and nothing is missed. It ends after five minutes; whoever comes again with Last-Event-ID is told what was missed.',
        tags: ['SLOs'],
        produces: ['text/event-stream'],
        querystring: SloStreamQuery,
        headers: SloStreamHeaders,
        response: { 200: z.string().describe('events'), 400: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { timeZone, slo, service, system } = call.query
      const zone = knownZone(timeZone)
      const { scope } = principalOf(call)
      const afterId = call.headers['last-event-id']
      if (isStopped || streams.size >= LISTENERS_MAX) {
        const why = isStopped
          ? 'Surety is stopping; come again in a few seconds.'
          : `${LISTENERS_MAX} listen already; ask GET /api/v1/slos now and then, or come again in a minute.`
        return reply
          .code(503)
          .header('retry-after', isStopped ? '5' : '60')
          .type(PROBLEM_JSON)
          .send(problem(503, 'SURETY_TOO_MANY_LISTENERS', 'Busy', why) as never)
      }
      const stream = buildEventStream()
      const reset = (id: number) => {
        stream.clear()
        stream.tell(eventText('reset', {}, id))
      }
      const fits = (one: {
        readonly name: string
        readonly service?: string
        readonly system?: string | undefined
      }) =>
        (slo === undefined || one.name === slo) &&
        (service === undefined || one.service === service) &&
        (system === undefined || one.system === system)
      // Headers leave with the first bytes.
      stream.tell('retry: 3000\n\n')
      open(stream, {
        afterId: afterId === undefined ? undefined : Number(afterId),
        mayRead: (of) => mayRead(scope, of),
        joined: (id) => void stream.tell(`id: ${id}\n\n`),
        status(standing) {
          const { name, definition, system: of } = standing.slo
          if (fits({ name, service: definition.service, system: of }))
            stream.tellNewest(JSON.stringify(placeOf(standing)), () => statusText(standing, zone))
        },
        transition(kept, known) {
          const of = { name: kept.slo, system: known?.system ?? kept.system }
          if (!fits(known === undefined ? of : { ...of, service: known.definition.service })) return
          if (!stream.tell(eventText('transition', toStreamTransition(kept), kept.id))) reset(kept.id)
        },
        reset,
      })
      return reply
        .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        .type('text/event-stream; charset=utf-8')
        .send(stream.readable as never)
    },
  )
}

const toStreamTransition = (kept: KeptTransition): StreamTransition => ({
  ...toTransitionItem(kept),
  slo: kept.slo,
  objective: kept.objective,
  groupKey: kept.group,
})
