// The table of permissions, walked: every route of the running application for every kind of caller.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashToken, makeToken } from '../../ingest/runtime/tokens.ts'
import { ROUTES, type Permission } from '../../query/people/permissions.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

type Caller = { readonly name: string; readonly may: readonly Permission[] }

const READER: readonly Permission[] = ['open', 'door', 'probe', 'who', 'read', 'read-all']
const OPERATOR: readonly Permission[] = [...READER, 'write', 'audit', 'operate']

const CALLERS: readonly Caller[] = [
  { name: 'nobody', may: ['open', 'door', 'probe'] },
  { name: 'a visitor', may: READER },
  { name: 'a viewer', may: [...READER, 'self'] },
  { name: 'a viewer of one system', may: ['open', 'door', 'probe', 'who', 'read', 'self'] },
  { name: 'an operator', may: [...OPERATOR, 'self'] },
  { name: 'an admin', may: [...OPERATOR, 'administer', 'self'] },
  { name: 'an admin with a one-time password', may: ['open', 'door', 'probe', 'who', 'self'] },
  { name: 'a disabled user', may: READER },
  { name: 'a token of an operator for reading', may: READER },
  { name: 'a token of an operator for writing', may: ['open', 'door', 'probe', 'who', 'write'] },
  { name: 'a token of an operator for everything', may: OPERATOR },
  { name: 'a token that ended', may: ['open', 'door', 'probe'] },
  { name: 'a token that was never made', may: ['open', 'door', 'probe'] },
  { name: 'the local token', may: [...OPERATOR, 'administer', 'self'] },
]

const REFUSALS = [401, 403]

let surety: TestSurety
const headers = new Map<string, Readonly<Record<string, string>>>()

beforeAll(async () => {
  surety = await startSurety()
  const people = surety.query?.people
  const put = async (name: string, spec: object) => {
    const reply = await fetch(`${surety.url}/api/v1/registry/users/${name}`, {
      method: 'PUT',
      headers: { ...surety.asLocal, 'content-type': 'application/json', 'if-none-match': '*' },
      body: JSON.stringify({ spec }),
    })
    if (reply.status !== 201) throw new Error(await reply.text())
  }
  const author = { actor: 'test', via: 'test', origin: '127.0.0.1', reason: '', request: '' }
  const session = async (caller: string, user: string) => {
    const signed = await people?.openSession(user, 'test', author)
    // As a browser on a page of Surety.
    headers.set(caller, { cookie: `surety_session=${signed?.secret}`, 'sec-fetch-site': 'same-origin' })
  }
  const token = async (caller: string, name: string, scopes: ('read' | 'write' | 'audit' | 'operate')[]) => {
    const made = await people?.createToken({ user: 'op', name, scopes, endsAt: undefined }, author)
    headers.set(caller, { authorization: `Bearer ${made?.secret}` })
    return made?.id
  }
  await put('view', { role: 'viewer' })
  await put('some', { role: 'viewer', scope: { systems: [] } })
  await put('op', { role: 'operator' })
  await put('root', { role: 'admin' })
  await put('gone', { role: 'admin' })
  await session('a viewer', 'view')
  await session('a viewer of one system', 'some')
  await session('an operator', 'op')
  await session('an admin', 'root')
  await session('a disabled user', 'gone')
  const once = await people?.resetPassword('admin', author)
  const signed = await people?.signIn('admin', once ?? '', author)
  if (signed?.kind === 'in')
    headers.set('an admin with a one-time password', {
      cookie: `surety_session=${signed.secret}`,
      'sec-fetch-site': 'same-origin',
    })
  const disabled = await fetch(`${surety.url}/api/v1/registry/users/gone`, {
    method: 'PUT',
    headers: { ...surety.asLocal, 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ spec: { role: 'admin', disabled: true } }),
  })
  if (disabled.status !== 200) throw new Error(await disabled.text())
  await token('a token of an operator for reading', 'r', ['read'])
  await token('a token of an operator for writing', 'w', ['write'])
  await token('a token of an operator for everything', 'all', ['read', 'write', 'audit', 'operate'])
  const ended = await token('a token that ended', 'ended', ['read'])
  await people?.revokeToken(ended ?? '', undefined, author)
  headers.set('a token that was never made', { authorization: `Bearer ${makeToken()}` })
  headers.set('the local token', surety.asLocal)
})
afterAll(() => surety.stop())

// What ends the caller's own session comes when everything else was asked.
const routes = Object.entries(ROUTES).toSorted(
  ([a], [b]) => Number(a === 'DELETE /api/v1/session') - Number(b === 'DELETE /api/v1/session'),
)

async function call(at: string, route: string, given: Readonly<Record<string, string>>) {
  const [method = '', path = ''] = route.split(' ')
  const reply = await fetch(at + path.replaceAll(/:\w+/g, 'not-there').replace('*', 'theme.css'), {
    method,
    headers: given,
    redirect: 'manual',
  })
  // A stream of events has no end to wait for.
  const isStream = reply.headers.get('content-type')?.startsWith('text/event-stream') === true
  if (isStream) await reply.body?.cancel()
  const text = isStream ? '' : await reply.text()
  return { status: reply.status, code: /"code":"(\w+)"/.exec(text)?.[1], text }
}

describe.each(CALLERS.filter(({ name }) => name !== 'nobody'))('$name', ({ name, may }) => {
  test(`is let on to what takes ${may.filter((word) => word !== 'door').join(', ')}, and to nothing else`, async () => {
    const wrong: string[] = []
    for (const [route, permission] of routes) {
      const { status, code } = await call(surety.url, route, headers.get(name) ?? {})
      const isRefused = REFUSALS.includes(status)
      // A wrong body at an open door is refused by the door itself.
      if (isRefused === may.includes(permission)) wrong.push(`${route} (${permission}): ${status} ${code}`)
      if (status >= 500) wrong.push(`${route}: ${status} ${code}`)
    }
    expect(wrong).toEqual([])
  })
})

test('nobody is let on to anything without signing in where visitors do not read', async () => {
  await surety.stop()
  const strict = await startSurety({ SURETY_VISITORS: 'none' })
  try {
    const allowed = CALLERS.find(({ name }) => name === 'nobody')?.may ?? []
    const wrong: string[] = []
    for (const [route, permission] of routes) {
      const { status, code } = await call(strict.url, route, {})
      if ((status === 401) === allowed.includes(permission)) wrong.push(`${route} (${permission}): ${status}`)
      if (status === 401 && code !== 'SURETY_NOT_SIGNED_IN') wrong.push(`${route}: ${code}`)
    }
    expect(wrong).toEqual([])
    const stale = await call(strict.url, 'GET /api/v1/services', {
      cookie: `surety_session=${'x'.repeat(43)}`,
    })
    expect(stale).toMatchObject({ status: 401, code: 'SURETY_NOT_SIGNED_IN' })
    expect(stale.text).toContain('The session has ended')
    const unknown = await call(strict.url, 'GET /api/v1/no-such-thing', {})
    expect(unknown.status).toBe(401)
  } finally {
    await strict.stop()
  }
})

test('tokens of the file read, or operate, and never change definitions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-permissions-'))
  const [reader, operator, sender] = [makeToken(), makeToken(), makeToken()]
  const file = join(folder, 'tokens.json')
  const entries = [
    { name: 'reader', hash: hashToken(reader), scopes: ['read'] },
    { name: 'operators', hash: hashToken(operator), scopes: ['read', 'operate'] },
    { name: 'ci', hash: hashToken(sender), scopes: ['releases'] },
  ]
  writeFileSync(file, JSON.stringify(entries), { mode: 0o600 })
  const guarded = await startSurety({ SURETY_TOKENS_REQUIRED: '1', SURETY_TOKENS_FILE: file })
  const expected: readonly (readonly [string, string, readonly Permission[]])[] = [
    ['none', '', ['open']],
    ['reader', reader, ['open', 'probe', 'who', 'read', 'read-all']],
    ['operators', operator, ['open', 'probe', 'who', 'read', 'read-all', 'audit', 'operate']],
    ['ci', sender, ['open', 'door']],
  ]
  try {
    const wrong: string[] = []
    for (const [name, token, may] of expected)
      for (const [route, permission] of routes) {
        const { status } = await call(
          guarded.url,
          route,
          token === '' ? {} : { authorization: `Bearer ${token}` },
        )
        if (REFUSALS.includes(status) === may.includes(permission)) wrong.push(`${name} ${route}: ${status}`)
      }
    expect(wrong).toEqual([])
  } finally {
    await guarded.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
