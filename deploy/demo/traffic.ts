// The load: phones and counter terminals that send orders to the channels, as a Poisson stream whose rate
// follows the day curve. They are outside the bank, so they are not traced; a trace begins at the channel.

import http from 'node:http'
import type { Clock } from '../../ingest/runtime/clock.ts'
import { buildPopulation, nextOrder, type Order } from './customers.ts'
import { dayShare } from './day-curve.ts'
import { BRANCH, TRAFFIC, TXN_ID } from './instance/headers.ts'
import { exponential, type Random } from './random.ts'
import { chooseEndpoint, chooseVersion, type Routing } from './routing.ts'

/** Requests under way at once; arrivals beyond it are not sent, and counted. */
const IN_FLIGHT_MAX = 500
const REQUEST_TIMEOUT_MS = 10_000
/** A pause in the process (a debugger, a suspended machine) is not made up for with a burst. */
const CATCH_UP_MAX_MS = 1_000

export type TrafficState = {
  /** entry requests per second by the curve, now */
  readonly ratePerSecond: number
  readonly peakPerSecond: number
  readonly sent: number
  /** not sent because too many were under way */
  readonly dropped: number
  /** requests per second of the stress test beside it, marked as such */
  readonly stressPerSecond: number
}

export interface Traffic {
  state(): TrafficState
  /** A stress test on the live paths (全链路压测): its requests carry `bank.traffic=stress`. 0 ends it. */
  setStress(perSecond: number): void
  /** Sends nothing more and waits for what is under way, up to a second. */
  close(): Promise<void>
}

export type TrafficParts = {
  readonly peakPerSecond: number
  readonly random: Random
  readonly clock: Clock
  /** distinguishes the transactions of this run from those of the last */
  readonly runId: string
  readonly routing: () => Routing
}

export function openTraffic(parts: TrafficParts): Traffic {
  const { random, clock, peakPerSecond } = parts
  const population = buildPopulation(random)
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX })
  const underWay = new Set<http.ClientRequest>()
  let sent = 0
  let dropped = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let nextAt = clock.now()
  let stressPerSecond = 0
  let stressTimer: NodeJS.Timeout | undefined
  let nextStressAt = 0

  const rate = (): number => peakPerSecond * dayShare(clock.now())

  function arrive(): void {
    if (closed) return
    const now = clock.now()
    nextAt = Math.max(nextAt, now - CATCH_UP_MAX_MS)
    while (nextAt <= now) {
      arrival(now, {})
      nextAt += exponential(random, rate()) * 1000
    }
    timer = setTimeout(arrive, nextAt - now)
  }

  function stress(): void {
    if (closed || stressPerSecond === 0) return
    const now = clock.now()
    nextStressAt = Math.max(nextStressAt, now - CATCH_UP_MAX_MS)
    while (nextStressAt <= now) {
      arrival(now, { [TRAFFIC]: 'stress' })
      nextStressAt += exponential(random, stressPerSecond) * 1000
    }
    stressTimer = setTimeout(stress, nextStressAt - now)
  }

  function arrival(now: number, mark: Readonly<Record<string, string>>): void {
    if (underWay.size >= IN_FLIGHT_MAX) {
      dropped += 1
      return
    }
    sent += 1
    const txnId = `${parts.runId}-${String(sent).padStart(7, '0')}`
    const order = nextOrder(population, random, now, txnId)
    give({ ...order, headers: { ...order.headers, ...mark } })
  }

  function give(order: Order): void {
    const routing = parts.routing()
    const version = chooseVersion(order.entry, routing.table[order.entry], {
      branch: order.headers[BRANCH],
      txnId: order.headers[TXN_ID] ?? '',
    })
    const endpoint = chooseEndpoint(routing, order.entry, version, order.site, random())
    if (endpoint === undefined) return
    const request = http.request({
      agent,
      host: '127.0.0.1',
      port: endpoint.port,
      method: order.method,
      path: order.path,
      headers: { ...order.headers, host: order.entry, 'content-type': 'application/json' },
      timeout: REQUEST_TIMEOUT_MS,
    })
    underWay.add(request)
    // Whether the answer was good is for the bank's own spans to say.
    request.on('response', (response) => response.resume())
    request.on('error', () => underWay.delete(request))
    request.on('close', () => underWay.delete(request))
    request.on('timeout', () => request.destroy())
    request.end(order.body === undefined ? undefined : JSON.stringify(order.body))
  }

  arrive()

  return {
    state: () => ({ ratePerSecond: rate(), peakPerSecond, sent, dropped, stressPerSecond }),
    setStress(perSecond) {
      clearTimeout(stressTimer)
      stressPerSecond = perSecond
      nextStressAt = clock.now()
      stress()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(stressTimer)
      const deadline = Date.now() + 1_000
      while (underWay.size > 0 && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20))
      for (const request of underWay) request.destroy()
      agent.destroy()
    },
  }
}
