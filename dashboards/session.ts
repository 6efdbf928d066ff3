// Who is signed in, as the pages ask the API: by the session's cookie, which scripts cannot read. Nothing is drawn here.

import type { Who } from '../query/http/registry-schemas.ts'
import type { Problem } from '../query/http/schemas.ts'

export type { Who }

/** What was refused, as the API says it. */
export type Refusal = { readonly code: string; readonly detail: string }

export interface SessionApi {
  /** @returns undefined when nobody is signed in and visitors may not read, or nothing answers */
  who(): Promise<Who | undefined>
  signIn(user: string, password: string): Promise<Who | Refusal>
  /** @returns undefined when it is done */
  changePassword(current: string, next: string): Promise<Refusal | undefined>
  signOut(): Promise<void>
}

const path = '/api/v1/session'

/** @param fetchReply `fetch`, or a stand-in */
export function buildSessionApi(fetchReply: typeof fetch, baseUrl = ''): SessionApi {
  const send = (method: string, at: string, body?: unknown) =>
    fetchReply(`${baseUrl}${at}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  return {
    async who() {
      try {
        const reply = await send('GET', path)
        return reply.ok ? ((await reply.json()) as Who) : undefined
      } catch {
        return undefined
      }
    },
    async signIn(user, password) {
      const reply = await send('POST', path, { user, password })
      return reply.ok ? ((await reply.json()) as Who) : refusalOf(reply)
    },
    async changePassword(current, next) {
      const reply = await send('PUT', `${path}/password`, { current, next })
      return reply.ok ? undefined : refusalOf(reply)
    },
    async signOut() {
      await send('DELETE', path)
    },
  }
}

async function refusalOf(reply: Response): Promise<Refusal> {
  const problem = (await reply.json().catch(() => ({}))) as Partial<Problem>
  return { code: problem.code ?? String(reply.status), detail: problem.detail ?? '' }
}
