// The running Surety as the command line asks it. Every failure is a sentence for a person.

import { z } from 'zod'
import { readLocalToken } from '../query/people/local-token.ts'
import { readConfig, type Environment } from '../ingest/runtime/config.ts'
import { isLoopback } from '../ingest/runtime/reach.ts'

const ClientConfig = z.object({
  /** Where the commands find the running Surety. */
  SURETY_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL such as http://127.0.0.1:8080' })
    .default('http://127.0.0.1:8080'),
  /** What they show there; on this machine without it the token that the running Surety keeps in SURETY_DATA_DIR. */
  SURETY_TOKEN: z.string().optional(),
})
const LocalConfig = ClientConfig.extend({ SURETY_DATA_DIR: z.string().min(1).default('./data') })

/** Variables of the commands that talk to a running Surety. */
export const CLIENT_VARIABLES: readonly string[] = Object.keys(ClientConfig.shape)

/** A command could not be done; `message` says why and what to do. It ends with 1. */
export class CommandError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandError'
  }
}

/** What Surety refused, as it said it. */
export class Refused extends CommandError {
  readonly problem: Readonly<Record<string, unknown>>

  constructor(message: string, problem: Refused['problem']) {
    super(message)
    this.problem = problem
  }
}

export interface ApiClient {
  readonly url: string
  /** Parsed JSON of the answer. @throws CommandError */
  get<T>(path: string): Promise<T>
  /** @param body  sent as JSON @throws Refused */
  post<T>(path: string, body?: unknown): Promise<T>
  bytes(path: string): Promise<Buffer>
}

/** @throws ConfigError */
export function buildApiClient(env: Environment): ApiClient {
  const own = Object.fromEntries(Object.keys(LocalConfig.shape).map((name) => [name, env[name]]))
  const { SURETY_URL, SURETY_TOKEN, SURETY_DATA_DIR } = readConfig(LocalConfig, own)
  const url = SURETY_URL.replace(/\/+$/, '')
  // Never shown to another machine.
  const isHere = isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'))
  const token = SURETY_TOKEN ?? (isHere ? readLocalToken(SURETY_DATA_DIR) : undefined)

  async function ask(method: string, path: string, json?: string): Promise<Response> {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    }
    let reply: Response
    try {
      reply = await fetch(url + path, {
        method,
        headers,
        body: json ?? null,
        signal: AbortSignal.timeout(120_000),
      })
    } catch (error) {
      const cause = (error as { cause?: unknown }).cause
      const why = cause instanceof Error ? cause.message : (error as Error).message
      throw new CommandError(
        `No Surety answers at ${url} (${why}). Start it with «surety serve», or set SURETY_URL to where it is.`,
        { cause: error },
      )
    }
    if (reply.ok) return reply
    const text = await reply.text()
    throw new Refused(`${method} ${url}${path}: ${reply.status} ${complaint(text)}`, problemIn(text))
  }

  return {
    url,
    get: async <T>(path: string) => (await (await ask('GET', path)).json()) as T,
    post: async <T>(path: string, body?: unknown) =>
      (await (await ask('POST', path, body === undefined ? undefined : JSON.stringify(body))).json()) as T,
    bytes: async (path) => Buffer.from(await (await ask('GET', path)).arrayBuffer()),
  }
}

function complaint(text: string): string {
  const { detail, code } = problemIn(text) as { detail?: string; code?: string }
  if (detail === undefined && code === undefined) return text.slice(0, 500)
  return `${code ?? ''} ${detail ?? ''}`.trim()
}

function problemIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}
