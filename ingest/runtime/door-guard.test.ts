import { describe, expect, test } from 'vitest'
import { buildDoorGuard, buildOpenGuard, type Admitted, type Refusal } from './door-guard.ts'
import { buildMetrics } from './metrics.ts'
import { buildTokens, hashToken, makeToken, type TokenEntry } from './tokens.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')

function setUp(more: Partial<TokenEntry> = {}) {
  let now = NOW
  const token = makeToken()
  const own: TokenEntry = { name: 'collector', hash: hashToken(token), scopes: ['ingest'], ...more }
  const tokens = buildTokens([own])
  const metrics = buildMetrics()
  const guard = buildDoorGuard({ tokens, clock: { now: () => now }, metrics })
  const ask = (facts: { authorization?: string; scope?: 'ingest' | 'read'; declaredBytes?: number } = {}) =>
    guard.admit({ door: 'otlp/http', scope: 'ingest', authorization: `Bearer ${token}`, ...facts })
  return { ask, guard, tokens, token, own, metrics, pass: (ms: number) => (now += ms) }
}

const admitted = (answer: Admitted | Refusal) => {
  if (answer.kind === 'refused') throw new Error(answer.message)
  return answer
}

describe('401: who are you', () => {
  test('without a token nothing is let in, and the answer says how', () => {
    const { guard } = setUp()
    expect(guard.admit({ door: 'api', scope: 'read', authorization: undefined })).toEqual({
      kind: 'refused',
      reason: 'no-token',
      status: 401,
      code: 'SURETY_TOKEN_REFUSED',
      rpcCode: 16,
      message:
        'This door asks for a token: send the header «Authorization: Bearer TOKEN». Nothing was stored.',
      headers: { 'www-authenticate': 'Bearer realm="surety"' },
    })
  })

  test.each([
    {
      name: 'another token',
      authorization: `Bearer ${makeToken()}`,
      message: /not known here; it may have been revoked/,
    },
    { name: 'a name instead of a token', authorization: 'Bearer collector', message: /not known here/ },
    { name: 'another scheme', authorization: 'Basic dXNlcjpwYXNz', message: /not «Bearer TOKEN»/ },
    { name: 'two tokens', authorization: 'Bearer a, Bearer b', message: /not «Bearer TOKEN»/ },
    { name: 'the scheme alone', authorization: 'Bearer ', message: /not «Bearer TOKEN»/ },
    {
      name: 'an endless header',
      authorization: `Bearer ${'a'.repeat(1_000_000)}`,
      message: /not known here/,
    },
  ])('$name', ({ authorization, message }) => {
    const answer = setUp().ask({ authorization })
    expect(answer).toMatchObject({
      status: 401,
      reason: 'unknown-token',
      message: expect.stringMatching(message),
      headers: { 'www-authenticate': 'Bearer realm="surety", error="invalid_token"' },
    })
  })

  test('a token is good until its end and not at it', () => {
    const { ask, pass } = setUp({ notAfter: '2026-11-20T18:00:01+08:00' })
    expect(ask().kind).toBe('admitted')
    pass(1000)
    expect(ask()).toMatchObject({
      status: 401,
      reason: 'expired-token',
      message:
        'The token «collector» ended at 2026-11-20T10:00:01.000Z; ask for a new one. Nothing was stored.',
    })
  })

  test('the scheme is written in any case', () => {
    const { ask, token } = setUp()
    expect(ask({ authorization: `bearer  ${token} ` }).kind).toBe('admitted')
  })
})

test('403: the scope that is missing is named', () => {
  expect(setUp().ask({ scope: 'read' })).toMatchObject({
    status: 403,
    code: 'SURETY_TOKEN_SCOPE',
    rpcCode: 7,
    message:
      'The token «collector» lacks the scope «read» that this door asks for; it has ingest. Nothing was stored.',
    headers: { 'www-authenticate': 'Bearer realm="surety", error="insufficient_scope", scope="read"' },
  })
})

describe('413: bodies', () => {
  const limits = { bodyBytesMax: 1000 }

  test('a declared length above the limit is refused before the body comes', () => {
    const { ask } = setUp({ limits })
    expect(ask({ declaredBytes: 1000 }).kind).toBe('admitted')
    expect(ask({ declaredBytes: 1001 })).toMatchObject({
      status: 413,
      rpcCode: 8,
      message:
        'The body is 1001 bytes long; the token «collector» may send 1000 at a time (bodyBytesMax, inflated). Send smaller batches. Nothing was stored.',
    })
  })

  test('an undeclared one is refused when it has come, an inflated one when it is inflated', () => {
    const { ask } = setUp({ limits })
    const request = admitted(ask({ declaredBytes: 100 }))
    expect(request.charge(100)).toBeUndefined()
    expect(request.charge(1000)).toBeUndefined()
    expect(request.charge(1001)).toMatchObject({ status: 413, reason: 'body-size' })
  })
})

describe('429: rates', () => {
  test('requests per second, with the seconds to wait', () => {
    const { ask, pass } = setUp({ limits: { requestsPerSecond: 2 } })
    expect([ask().kind, ask().kind]).toEqual(['admitted', 'admitted'])
    expect(ask()).toMatchObject({
      status: 429,
      code: 'SURETY_TOKEN_LIMIT',
      rpcCode: 8,
      message:
        'The token «collector» sends more than its requestsPerSecond of 2; send again in 1 s. Nothing was stored.',
      headers: { 'retry-after': '1' },
    })
    pass(500)
    expect(ask().kind).toBe('admitted')
    expect(ask()).toMatchObject({ status: 429 })
  })

  test('bytes per second: many bodies under way count before they have come, and none counts twice', () => {
    const { ask, pass } = setUp({ limits: { bytesPerSecond: 1000 } })
    const request = admitted(ask({ declaredBytes: 3000 }))
    expect(ask()).toMatchObject({
      status: 429,
      message: expect.stringMatching(/bytesPerSecond of 1000; send again in 3 s/),
    })
    request.charge(3000)
    expect(ask()).toMatchObject({ headers: { 'retry-after': '3' } })
    request.charge(5000)
    expect(ask()).toMatchObject({ headers: { 'retry-after': '5' } })
    pass(4001)
    expect(ask().kind).toBe('admitted')
  })

  test('two tokens of one name share what the name may send', () => {
    const limits = { requestsPerSecond: 1 }
    const { ask, tokens, own } = setUp({ limits })
    const second = makeToken()
    tokens.replace([own, { ...own, hash: hashToken(second) }])
    expect(ask().kind).toBe('admitted')
    expect(ask({ authorization: `Bearer ${second}` })).toMatchObject({ status: 429 })
  })

  test('a new limit in the file holds from the next request on', () => {
    const { ask, tokens, own } = setUp({ limits: { requestsPerSecond: 0.001 } })
    ask()
    expect(ask()).toMatchObject({ status: 429 })
    tokens.replace([{ ...own, limits: { requestsPerSecond: 10 } }])
    expect(ask().kind).toBe('admitted')
    tokens.replace([{ ...own, limits: {} }])
    expect(ask().kind).toBe('admitted')
  })
})

describe('figures', () => {
  test('by door and name; unknown tokens have no name to count under', async () => {
    const { ask, metrics } = setUp({ limits: { bodyBytesMax: 100 } })
    admitted(ask({ declaredBytes: 60 })).charge(80)
    ask({ declaredBytes: 200 })
    ask({ authorization: 'Bearer nobody' })
    ask({ scope: 'read' })
    const text = await metrics.registry.metrics()
    expect(text).toContain('surety_door_requests_total{door="otlp/http",token="collector"} 1')
    expect(text).toContain('surety_door_bytes_total{door="otlp/http",token="collector"} 80')
    expect(text).toContain(
      'surety_door_refusals_total{door="otlp/http",token="collector",reason="body-size"} 1',
    )
    expect(text).toContain(
      'surety_door_refusals_total{door="otlp/http",token="none",reason="unknown-token"} 1',
    )
    expect(text).toContain('surety_door_refusals_total{door="otlp/http",token="collector",reason="scope"} 1')
  })

  test('a name that is gone leaves no series behind', async () => {
    const { ask, metrics, tokens, own } = setUp()
    ask()
    ask({ scope: 'read' })
    tokens.replace([{ ...own, name: 'next' }])
    ask()
    const text = await metrics.registry.metrics()
    expect(text).not.toContain('collector')
    expect(text).toContain('surety_door_requests_total{door="otlp/http",token="next"} 1')
  })

  test('the open guard asks nobody and counts under no name', async () => {
    const metrics = buildMetrics()
    const request = buildOpenGuard(metrics).admit({ door: 'api', scope: 'read', authorization: undefined })
    expect(admitted(request).charge(10)).toBeUndefined()
    const text = await metrics.registry.metrics()
    expect(text).toContain('surety_door_requests_total{door="api",token="none"} 1')
    expect(text).toContain('surety_door_bytes_total{door="api",token="none"} 10')
  })
})
