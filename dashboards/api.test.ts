import { describe, expect, test } from 'vitest'
import { ApiError, buildApi } from './api.ts'

const range = { from: '-15m', to: 'now' }

function answering(status: number, body: string): { asked: string[]; api: ReturnType<typeof buildApi> } {
  const asked: string[] = []
  const api = buildApi((url) => {
    asked.push(url as string)
    return Promise.resolve(new Response(body, { status }))
  })
  return { asked, api }
}

describe('api', () => {
  test('a service name with reserved characters stays one path segment', async () => {
    const { api, asked } = answering(200, '{}')
    await api.series('a/b?c#d%', range)
    expect(asked).toEqual(['/api/v1/services/a%2Fb%3Fc%23d%25/series?from=-15m&to=now'])
  })

  test('what is undefined is not asked', async () => {
    const { api, asked } = answering(200, '{}')
    await api.releaseEvents({ ...range, limit: 5 })
    expect(asked).toEqual(['/api/v1/releases/events?from=-15m&to=now&limit=5'])
  })

  test('a problem keeps its code and detail', async () => {
    const problem = {
      type: 'about:blank',
      title: 'Busy',
      status: 503,
      detail: 'd',
      code: 'SURETY_STORE_BUSY',
    }
    const { api } = answering(503, JSON.stringify(problem))
    await expect(api.services(range)).rejects.toMatchObject({ failure: { kind: 'problem', problem } })
  })

  test.each([
    { name: 'a proxy page', status: 502, body: '<html>' },
    { name: 'a success that is no JSON', status: 200, body: 'hello' },
    { name: 'JSON that is no problem', status: 500, body: '{"oops":1}' },
  ])('$name is called garbled, not data', async ({ status, body }) => {
    const { api } = answering(status, body)
    await expect(api.services(range)).rejects.toMatchObject({ failure: { kind: 'garbled', status } })
  })

  test('a refused connection is unreachable', async () => {
    const api = buildApi(() => Promise.reject(new TypeError('Failed to fetch')))
    await expect(api.ingestStatus()).rejects.toMatchObject({ failure: { kind: 'unreachable' } })
  })

  test('giving up is not a failure of the API', async () => {
    const aborted = new AbortController()
    aborted.abort()
    const api = buildApi((_url, init) => Promise.reject(init?.signal?.reason as Error))
    await expect(api.ingestStatus(aborted.signal)).rejects.not.toBeInstanceOf(ApiError)
  })
})
