// One request to a ClickHouse server over HTTP and its answer. With data in the body, the statement stands in the URL: no
// byte of others can ever become part of it. Settings of a request hold for that request; sessions are not used.

import {
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { classifyReply, StoreError, unreachable } from './store-error.ts'

export type HttpTarget = {
  /** Origins, `https://host:8443`; the next is tried when one cannot be reached. */
  readonly urls: readonly string[]
  readonly user: string
  readonly password: string
  /** PEM of the signers to believe; the system's when undefined. */
  readonly ca?: string | undefined
}

export type HttpRequest = {
  readonly sql: string
  /** Data of an insert, in pieces; the statement names its format. */
  readonly body?: readonly Uint8Array[]
  /** Database for names that have none; the user's default when undefined. */
  readonly database?: string | undefined
  /** Settings for this request beside those in the statement. */
  readonly settings?: Readonly<Record<string, string>>
  /** After this, ms, the request is given up. */
  readonly deadlineMs: number
}

export interface ClickHouseHttp {
  /** @returns the answer's text, JSONEachRow @throws StoreError */
  send(request: HttpRequest): Promise<string>
  close(): void
}

// The server reads each field of a URL up to 128 KiB (http_max_field_value_size).
const URL_STATEMENT_BYTES_MAX = 128 * 1024 - 1
const IS_QUESTION = /^(?:--[^\n]*\n|\s)*SELECT\b/
const ANSWER_BYTES_MAX = 512 * 1024 * 1024
// Below every server's keep_alive_timeout (10 s, of old 3 s), so that it is we who end idle connections.
const IDLE_SOCKET_MS = 2000

const SETTINGS: Readonly<Record<string, string>> = {
  default_format: 'JSONEachRow',
  // The status must tell: without it an error after the first row would come in the middle of a good answer.
  wait_end_of_query: '1',
  http_write_exception_in_output_format: '0',
  // As the embedded engine answers when a statement does not say.
  output_format_json_quote_64bit_integers: '0',
  cancel_http_readonly_queries_on_client_close: '1',
  // Parameters stand in a statement's text.
  max_query_size: '8388608',
}

/** @param socketsMax  connections kept at most */
export function openClickHouseHttp(target: HttpTarget, socketsMax: number): ClickHouseHttp {
  const options = {
    keepAlive: true,
    maxSockets: socketsMax,
    timeout: IDLE_SOCKET_MS,
    scheduling: 'lifo' as const,
  }
  const plain = new HttpAgent(options)
  const encrypted = new HttpsAgent({ ...options, ...(target.ca === undefined ? {} : { ca: target.ca }) })
  const credentials = Buffer.from(`${target.user}:${target.password}`).toString('base64')
  const headers = { Authorization: `Basic ${credentials}` }
  let preferred = 0

  async function attempt(
    origin: string,
    { sql, body, database, settings, deadlineMs }: HttpRequest,
  ): Promise<string> {
    const fields = Object.entries({
      ...SETTINGS,
      ...settings,
      ...(database === undefined ? {} : { database }),
    })
    const statement = body === undefined ? '' : `&query=${encodeField(sql)}`
    if (statement.length > URL_STATEMENT_BYTES_MAX) {
      throw new StoreError(
        'SURETY_STORE_QUERY',
        `A statement of ${statement.length} bytes is longer than a ClickHouse server takes (${URL_STATEMENT_BYTES_MAX}): shorten SURETY_RETURN_CODE_MAP, SURETY_SEARCH_KEYS or the patterns of SURETY_MASKING`,
      )
    }
    const path = `/?${fields.map(([name, value]) => `${name}=${encodeField(value)}`).join('&')}${statement}`
    const pieces = body ?? [Buffer.from(sql)]
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const url = new URL(origin)
    const isTls = url.protocol === 'https:'
    const { status, code, text } = await exchange(
      isTls ? requestHttps : requestHttp,
      {
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: url.port === '' ? (isTls ? 8443 : 8123) : url.port,
        method: 'POST',
        path,
        headers: { ...headers, 'Content-Type': 'application/octet-stream', 'Content-Length': length },
        agent: isTls ? encrypted : plain,
        signal: AbortSignal.timeout(deadlineMs),
      },
      pieces,
    )
    if (status === 200 && code === 0) return text
    throw classifyReply({ origin, user: target.user, status, code, text })
  }

  return {
    async send(request) {
      const { urls } = target
      for (let tries = 0; ; tries += 1) {
        const origin = urls[preferred % urls.length] ?? ''
        const at = preferred
        try {
          return await attempt(origin, request)
        } catch (error) {
          if (error instanceof StoreError) throw error
          // A connection that the server closed while it was idle. Only what changes nothing is sent again from here: for
          // the rest it is not known whether the statement ran, and its owner knows what repeating it means.
          if (isStale(error) && tries < 2 && IS_QUESTION.test(request.sql)) continue
          if (preferred === at) preferred += 1
          throw unreachable(origin, error)
        }
      }
    },
    close() {
      plain.destroy()
      encrypted.destroy()
    },
  }
}

type Reply = { readonly status: number; readonly code: number; readonly text: string }
type Ask = (
  options: RequestOptions,
  answered: (reply: IncomingMessage) => void,
) => ReturnType<typeof requestHttp>

function exchange(ask: Ask, options: RequestOptions, pieces: readonly Uint8Array[]): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = ask(options, (reply) => {
      const read: Buffer[] = []
      let bytes = 0
      reply.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > ANSWER_BYTES_MAX)
          request.destroy(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`))
        else read.push(piece)
      })
      reply.on('end', () => {
        const code = Number(reply.headers['x-clickhouse-exception-code'] ?? 0)
        resolve({ status: reply.statusCode ?? 0, code, text: Buffer.concat(read).toString('utf8') })
      })
      reply.on('error', reject)
      reply.on('aborted', () => reject(new Error('the connection ended in the middle of an answer')))
    })
    request.on('error', (error) => reject(Object.assign(error, { wasReused: request.reusedSocket })))
    request.setNoDelay(true)
    for (const piece of pieces) request.write(piece)
    request.end()
  })
}

function isStale(error: unknown): boolean {
  const { code, wasReused } = error as { code?: string; wasReused?: boolean }
  return wasReused === true && (code === 'ECONNRESET' || code === 'EPIPE')
}

// Only what a URL cannot carry is written as %XX: a statement stays short. Line ends and blanks become «+», a blank.
function encodeField(text: string): string {
  return text.replaceAll(/[^\w\-.~!$'()*,;:@/?= ]/gu, encodeURIComponent).replaceAll(' ', '+')
}
