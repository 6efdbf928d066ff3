// How an instance calls another service: it asks the routing table which version and which site serve this
// request, and hands the bank's headers on. A callee that cannot be reached in time is an answer, not an exception.

import http from 'node:http'
import { context } from '@opentelemetry/api'
import type { Random } from '../random.ts'
import { chooseEndpoint, chooseVersion, type Routing } from '../routing.ts'
import type { Answer, Call, Fields } from '../services/service.ts'
import type { Site } from '../topology.ts'
import { BRANCH, TXN_ID } from './headers.ts'
import { withRoute } from './telemetry.ts'

/** A caller waits this long for one hop; the latency fault can go beyond, and then shows as a timeout. */
export const CALL_TIMEOUT_MS = 3_000
/** Sockets one instance keeps to one other instance. */
const SOCKETS_MAX = 64

export interface Caller {
  call(call: Call, headers: Readonly<Record<string, string>>): Promise<Answer>
  route(routing: Routing): void
  close(): void
}

export function openCaller(site: Site, random: Random): Caller {
  const agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, scheduling: 'lifo' })
  let routing: Routing | undefined

  return {
    route: (next) => {
      routing = next
    },
    close: () => agent.destroy(),
    async call(call, headers) {
      const version =
        routing === undefined
          ? undefined
          : chooseVersion(call.to, routing.table[call.to], {
              branch: headers[BRANCH],
              txnId: headers[TXN_ID] ?? '',
            })
      const endpoint =
        routing === undefined || version === undefined
          ? undefined
          : chooseEndpoint(routing, call.to, version, site, random())
      if (endpoint === undefined) return unreachable(503, `no instance of ${call.to} is up`)
      return context.with(withRoute(call.route), () => send(agent, endpoint.port, call, headers))
    },
  }
}

function send(
  agent: http.Agent,
  port: number,
  call: Call,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body)
  return new Promise((resolve) => {
    const request = http.request(
      {
        agent,
        port,
        method: call.method,
        path: call.path,
        // The service's name is the host, as behind a mesh; every name is the loopback address.
        hostname: call.to,
        lookup: (_name, options, found) =>
          options.all === true
            ? found(null, [{ address: '127.0.0.1', family: 4 }])
            : found(null, '127.0.0.1', 4),
        headers: {
          ...headers,
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        },
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve(unreachable(503, `${call.to} broke off its answer`)))
        response.on('end', () =>
          resolve(parseAnswer(response.statusCode ?? 502, Buffer.concat(chunks).toString())),
        )
      },
    )
    request.on('error', (error) =>
      resolve(
        error.name === 'AbortError' || error.name === 'TimeoutError'
          ? unreachable(504, `${call.to} did not answer within ${CALL_TIMEOUT_MS} ms`)
          : unreachable(503, `${call.to} cannot be reached`),
      ),
    )
    request.end(payload)
  })
}

function unreachable(status: 503 | 504, message: string): Answer {
  return { status, returnCode: status === 504 ? 'SYS0504' : 'SYS0503', body: { message } }
}

function parseAnswer(status: number, text: string): Answer {
  try {
    const { returnCode, ...body } = JSON.parse(text) as Fields
    return { status, returnCode: typeof returnCode === 'string' ? returnCode : 'SYS0502', body }
  } catch {
    return { status: 502, returnCode: 'SYS0502', body: { message: 'the answer is not JSON' } }
  }
}
