// One instance's HTTP server: finds the operation, applies work time and faults, answers, and puts route and
// return code on the span. When its port is open is the door's (door.ts).

import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, trace } from '@opentelemetry/api'
import { getRPCMetadata } from '@opentelemetry/core'
import { effectOf, type Fault } from '../faults.ts'
import { logNormal, type Random } from '../random.ts'
import { failure, type Answer, type Fields, type Operation, type Service } from '../services/service.ts'
import type { Caller } from './caller.ts'
import { openDoor } from './door.ts'
import { TXN_ID, bankHeaders } from './headers.ts'
import type { Tally } from './messages.ts'

const BODY_BYTES_MAX = 16_384
const WORK_SIGMA = 0.35
/** Keeps the caller's idle sockets alive longer than a lull at night. */
const KEEP_ALIVE_MS = 60_000

export interface InstanceServer {
  readonly port: number
  injectFaults(faults: readonly Fault[]): void
  /** Down: the port is closed and every connection cut, as when a site loses its power. */
  setDown(isDown: boolean): void
  /** what was answered since the last call */
  takeTally(): Tally
  /** Answers what has arrived and closes. */
  drain(): Promise<void>
}

type Route = { readonly operation: Operation; readonly pattern: RegExp; readonly names: readonly string[] }

/** @param onPort  told why the port cannot be taken again, and with undefined that it is */
export async function openInstanceServer(
  service: Service,
  caller: Caller,
  random: Random,
  onPort: (problem: string | undefined) => void,
): Promise<InstanceServer> {
  const routes = service.operations.map((operation): Route => ({
    operation,
    pattern: new RegExp(`^${operation.route.replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
    names: [...operation.route.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''),
  }))
  let faults: readonly Fault[] = []
  let tally: Tally = { requests: 0, rejects: 0, failures: 0 }

  function count({ status }: Answer): void {
    tally = {
      requests: tally.requests + 1,
      rejects: tally.rejects + (status >= 400 && status < 500 ? 1 : 0),
      failures: tally.failures + (status >= 500 ? 1 : 0),
    }
  }

  async function answer(request: http.IncomingMessage): Promise<Answer> {
    const route = routes.find(
      ({ operation, pattern }) => operation.method === request.method && pattern.test(request.url ?? ''),
    )
    if (route === undefined) return { status: 404, returnCode: `${service.prefix}0404`, body: {} }
    const metadata = getRPCMetadata(context.active())
    if (metadata !== undefined) metadata.route = route.operation.route
    return perform(route, request)
  }

  async function perform(
    { operation, pattern, names }: Route,
    request: http.IncomingMessage,
  ): Promise<Answer> {
    const body = await readBody(request)
    if (body === undefined) return { status: 400, returnCode: `${service.prefix}0400`, body: {} }
    const effect = effectOf(faults, random)
    await sleep(logNormal(random, operation.workMs, WORK_SIGMA) + effect.delayMs)
    if (effect.fails) return failure(`${service.prefix}5000`, 'the request could not be processed')
    const headers = bankHeaders(request.headers)
    const values = pattern.exec(request.url ?? '')?.slice(1) ?? []
    const result = await operation.answer({
      params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])),
      body,
      header: (name) => headers[name],
      call: (call) => caller.call(call, headers),
      random,
    })
    if (!effect.corrupts || result.status !== 200 || operation.corrupt === undefined) return result
    return { ...result, body: operation.corrupt(result.body) }
  }

  async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const result = await answer(request).catch((error: unknown) => {
      trace.getActiveSpan()?.recordException(error instanceof Error ? error : String(error))
      return failure(`${service.prefix}9999`, 'an unexpected error')
    })
    count(result)
    const span = trace.getActiveSpan()
    span?.setAttribute('bank.return.code', result.returnCode)
    // The failure that begins here, not one that is passed on.
    if (result.status === 500) {
      span?.recordException({ name: result.returnCode, message: text(result.body['message']) })
    }
    reply(response, result.status, { ...result.body, returnCode: result.returnCode })
  }

  const server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (request.headers[TXN_ID] === undefined) {
      // No page of a browser can set this header unasked, so nothing but the bank moves money here.
      reply(response, request.url === '/healthz' ? 200 : 400, { message: `${TXN_ID} is missing` })
    } else {
      void serve(request, response)
    }
  })
  const door = await openDoor(server, onPort)

  return {
    port: door.port,
    setDown: (isDown) => door.setOpen(!isDown),
    injectFaults: (next) => {
      faults = next
    },
    takeTally: () => {
      const taken = tally
      tally = { requests: 0, rejects: 0, failures: 0 }
      return taken
    },
    drain: () => door.close(),
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function reply(response: http.ServerResponse, status: number, body: Fields): void {
  const payload = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(payload),
  })
  response.end(payload)
}

/** @returns undefined when the body is too long or not a JSON object */
async function readBody(request: http.IncomingMessage): Promise<Fields | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  if (bytes === 0) return {}
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Fields) : undefined
  } catch {
    return undefined
  }
}
