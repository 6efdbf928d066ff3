// Definitions put by whoever administers, and callers that may read some systems, for tests over HTTP.

import type { TestSurety } from './surety.ts'

/** Makes a definition. */
export async function define(
  surety: TestSurety,
  path: string,
  spec: object,
  metadata: object = {},
): Promise<void> {
  const reply = await fetch(`${surety.url}/api/v1/registry/${path}`, {
    method: 'PUT',
    headers: { ...surety.asLocal, 'content-type': 'application/json', 'if-none-match': '*' },
    body: JSON.stringify({ metadata, spec }),
  })
  if (reply.status !== 201) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
}

/** @returns a GET as a viewer of these systems alone */
export async function viewerOf(surety: TestSurety, name: string, systems: readonly string[]) {
  await define(surety, `users/${name}`, { role: 'viewer', scope: { systems } })
  const author = { actor: 'test', via: 'test', origin: '127.0.0.1', reason: '', request: '' }
  const signed = await surety.query?.people.openSession(name, 'test', author)
  const headers = { cookie: `surety_session=${signed?.secret}`, 'sec-fetch-site': 'same-origin' }
  return async <T>(path: string, status = 200): Promise<T> => {
    const reply = await fetch(surety.url + path, { headers })
    const text = await reply.text()
    if (reply.status !== status) throw new Error(`GET ${path}: ${reply.status}, wanted ${status}: ${text}`)
    return JSON.parse(text) as T
  }
}
