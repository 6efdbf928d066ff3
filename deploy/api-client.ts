// The running Surety as the command line asks it. Every failure is a sentence for a person.

import { z } from 'zod'
import { readConfig, type Environment } from '../ingest/runtime/config.ts'

const ClientConfig = z.object({
  /** Where the commands find the running Surety. */
  SURETY_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL such as http://127.0.0.1:8080' })
    .default('http://127.0.0.1:8080'),
  /** What they show there when its doors ask for a token. */
  SURETY_TOKEN: z.string().optional(),
})

/** Variables of the commands that talk to a running Surety. */
export const CLIENT_VARIABLES: readonly string[] = Object.keys(ClientConfig.shape)

/** A command could not be done; `message` says why and what to do. It ends with 1. */
export class CommandError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandError'
  }
}

export interface ApiClient {
  readonly url: string
  /** Parsed JSON of the answer. @throws CommandError */
  get<T>(path: string): Promise<T>
  post<T>(path: string): Promise<T>
  bytes(path: string): Promise<Buffer>
}

/** @throws ConfigError */
export function buildApiClient(env: Environment): ApiClient {
  const own = Object.fromEntries(CLIENT_VARIABLES.map((name) => [name, env[name]]))
  const { SURETY_URL, SURETY_TOKEN } = readConfig(ClientConfig, own)
  const url = SURETY_URL.replace(/\/+$/, '')

  async function ask(method: string, path: string): Promise<Response> {
    const headers = SURETY_TOKEN === undefined ? {} : { authorization: `Bearer ${SURETY_TOKEN}` }
    let reply: Response
    try {
      reply = await fetch(url + path, { method, headers, signal: AbortSignal.timeout(120_000) })
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
    throw new CommandError(`${method} ${url}${path}: ${reply.status} ${complaint(text)}`)
  }

  return {
    url,
    get: async <T>(path: string) => (await (await ask('GET', path)).json()) as T,
    post: async <T>(path: string) => (await (await ask('POST', path)).json()) as T,
    bytes: async (path) => Buffer.from(await (await ask('GET', path)).arrayBuffer()),
  }
}

function complaint(text: string): string {
  try {
    const { detail, code } = JSON.parse(text) as { detail?: string; code?: string }
    return `${code ?? ''} ${detail ?? text}`.trim()
  } catch {
    return text.slice(0, 500)
  }
}
