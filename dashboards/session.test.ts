import { expect, test } from 'vitest'
import { buildSessionApi, type Who } from './session.ts'

type Asked = { readonly url: string; readonly method: string; readonly body: unknown }

function against(status: number, json: unknown) {
  const asked: Asked[] = []
  const api = buildSessionApi((url, init) => {
    const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined
    asked.push({ url: url as string, method: init?.method ?? '', body })
    return Promise.resolve(new Response(JSON.stringify(json), { status }))
  })
  return { api, asked }
}

const who = { name: 'li', mustChangePassword: true } as Who

test('signing in sends name and password as JSON and gives who it is', async () => {
  const { api, asked } = against(200, who)
  expect(await api.signIn('li', 'secret')).toEqual(who)
  expect(asked).toEqual([
    { url: '/api/v1/session', method: 'POST', body: { user: 'li', password: 'secret' } },
  ])
})

test('what is refused is told in the words of the API, be they none', async () => {
  const { api } = against(401, { code: 'SURETY_SIGN_IN_REFUSED', detail: 'wrong' })
  expect(await api.signIn('li', 'x')).toEqual({ code: 'SURETY_SIGN_IN_REFUSED', detail: 'wrong' })
  expect(await api.changePassword('a', 'b')).toMatchObject({ code: 'SURETY_SIGN_IN_REFUSED' })
  expect(await against(502, 'a proxy').api.signIn('li', 'x')).toEqual({ code: '502', detail: '' })
})

test('nobody is signed in where the API refuses or nothing answers', async () => {
  expect(await against(401, {}).api.who()).toBeUndefined()
  const away = buildSessionApi(() => Promise.reject(new TypeError('fetch failed')))
  expect(await away.who()).toBeUndefined()
})
