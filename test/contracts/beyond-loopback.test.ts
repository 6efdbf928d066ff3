// Surety as others reach it: TLS, tokens, limits, through real sockets. The addresses are loopback; Surety is told
// that they are not, so nothing here listens beyond this machine.

import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as plainRequest, type IncomingHttpHeaders } from 'node:http'
import { request as tlsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { gzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ROLES } from '../../deploy/environment.ts'
import { serve, type Served } from '../../deploy/serve.ts'
import { ConfigError } from '../../ingest/runtime/config.ts'
import { hashToken, makeToken, type TokenEntry } from '../../ingest/runtime/tokens.ts'
import { makeCertificate, type Certificate } from '../support/certificates.ts'
import { makeEmptyData } from '../support/empty-data.ts'
import { EXPORT_TRACES, openGrpcClient, type GrpcAnswer, type GrpcClientOptions } from '../support/grpc.ts'
import { random, randomBytes, traceRequest } from '../support/otlp.ts'
import { eventually } from '../support/surety.ts'
import { spawnSurety } from '../support/surety-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-beyond-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const server = makeCertificate(folder, 'surety')
const caFile = join(folder, 'ca.crt')
copyFileSync(server.certFile, caFile)
const tokensFile = join(folder, 'tokens.json')

const BEYOND = {
  SURETY_HOST: '127.0.0.1',
  SURETY_HTTP_PORT: '0',
  SURETY_OTLP_HTTP_PORT: '0',
  SURETY_OTLP_GRPC_PORT: '0',
  SURETY_LOG_LEVEL: 'silent',
  SURETY_LINGER_MS: '20',
  SURETY_ACCESS_POLL_MS: '50',
  SURETY_ALLOWED_HOSTS: 'surety.bank.example',
  SURETY_TOKENS_FILE: tokensFile,
  SURETY_TLS_CERT_FILE: server.certFile,
  SURETY_TLS_KEY_FILE: server.keyFile,
}
const nothingIsLoopback = () => false

const secrets = {
  collector: makeToken(),
  pipeline: makeToken(),
  reader: makeToken(),
  operator: makeToken(),
  small: makeToken(),
  slow: makeToken(),
  ended: makeToken(),
}
function entryOf(name: keyof typeof secrets, scopes: TokenEntry['scopes'], more: Partial<TokenEntry> = {}) {
  return { name, hash: hashToken(secrets[name]), scopes, ...more }
}
const ENTRIES: readonly TokenEntry[] = [
  entryOf('collector', ['ingest']),
  entryOf('pipeline', ['releases']),
  entryOf('reader', ['read']),
  entryOf('operator', ['read', 'operate']),
  entryOf('small', ['ingest', 'releases'], { limits: { bodyBytesMax: 2000 } }),
  entryOf('slow', ['ingest', 'read'], { limits: { requestsPerSecond: 0.001 } }),
  entryOf('ended', ['ingest'], { notAfter: '2020-01-01T00:00:00Z' }),
]

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
type Ask = Pick<RequestOptions, 'cert' | 'key' | 'servername'> & {
  readonly token?: string
  readonly body?: Buffer | string
  readonly headers?: Readonly<Record<string, string>>
}

function ask(url: string, { token, body, headers, ...options }: Ask = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const send = url.startsWith('https:') ? tlsRequest : plainRequest
  const outgoing = send(
    url,
    {
      ca: readFileSync(caFile),
      agent: false,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...options,
    },
    (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('error', reject)
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: Buffer.concat(chunks) }),
      )
    },
  )
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}

const json = (answer: Answer): unknown => JSON.parse(answer.body.toString())

const { root } = protobuf.parse('syntax = "proto3"; message Status { int32 code = 1; string message = 2; }')
const rpcStatus = (answer: Answer): unknown => {
  const type = root.lookupType('Status')
  return type.toObject(type.decode(answer.body))
}

let seed = 0
/** One request of one service, with some weight to it. */
function trace(service: string, padding = 0): Buffer {
  const next = random((seed += 1))
  const startNs = BigInt(Date.now() - 1000) * 1_000_000n
  return traceRequest([
    {
      attributes: { 'service.name': service, padding: 'x'.repeat(padding) },
      spans: [
        {
          traceId: randomBytes(next, 16),
          spanId: randomBytes(next, 8),
          name: 'GET /balance',
          startNs,
          endNs: startNs + 5_000_000n,
        },
      ],
    },
  ])
}

const PROTOBUF = { 'content-type': 'application/x-protobuf' }

let surety: Served
beforeAll(async () => {
  writeFileSync(tokensFile, JSON.stringify(ENTRIES), { mode: 0o600 })
  await makeEmptyData(join(folder, 'data'))
  surety = await serve(ROLES, { ...BEYOND, SURETY_DATA_DIR: join(folder, 'data') }, nothingIsLoopback)
  return () => surety.lifecycle.stop()
})

const sendTrace = (service: string, more: Ask = {}, padding = 0) =>
  ask(`${surety.otlpHttpUrl}/v1/traces`, { body: trace(service, padding), headers: PROTOBUF, ...more })

/** Sends traces over OTLP/gRPC, until the test ends. */
function openCaller(shown: Omit<Required<GrpcClientOptions>['tls'], 'ca'> = {}) {
  const client = openGrpcClient(surety.otlpGrpcUrl ?? '', { tls: { ca: readFileSync(caFile), ...shown } })
  onTestFinished(() => client.close())
  return (service: string, token?: string, padding?: number): Promise<GrpcAnswer> =>
    client.call(
      trace(service, padding),
      EXPORT_TRACES,
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    )
}

const sendRelease = (id: string, more: Ask = {}) =>
  ask(`${surety.url}/api/v1/releases/events`, {
    body: JSON.stringify({ specversion: '1.0', id, source: '/ci', type: 't' }),
    headers: { 'content-type': 'application/cloudevents+json' },
    ...more,
  })

async function servicesStored(shown: Ask = {}): Promise<string[]> {
  const answer = await ask(`${surety.url}/api/v1/services`, { token: secrets.reader, ...shown })
  return (json(answer) as { items: { service: string }[] }).items.map(({ service }) => service)
}

async function metricLines(name: string): Promise<string[]> {
  const { body } = await ask(`${surety.url}/metrics`, { token: secrets.reader })
  return body
    .toString()
    .split('\n')
    .filter((line) => line.startsWith(name))
}

describe('without a token', () => {
  test('only life and the pages, which hold no figures, are shown', async () => {
    expect(surety.url).toMatch(/^https:/)
    expect(surety.otlpHttpUrl).toMatch(/^https:/)
    const statusOf = async (path: string) => (await ask(surety.url + path)).status
    expect(await statusOf('/healthz')).toBe(200)
    expect(await statusOf('/')).toBe(200)
    expect(await statusOf('/assets/dashboards/main.ts')).toBe(200)
    for (const path of ['/readyz', '/metrics', '/api/v1/services', '/api/v1/openapi.json', '/api/v1/nothing'])
      expect({ path, status: await statusOf(path) }).toEqual({ path, status: 401 })
  })

  test('the API answers problem+json that says what to send', async () => {
    const answer = await ask(`${surety.url}/api/v1/services`)
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringContaining('application/problem+json') as string,
      'www-authenticate': 'Bearer realm="surety"',
    })
    expect(json(answer)).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      code: 'SURETY_TOKEN_REFUSED',
      detail:
        'This door asks for a token: send the header «Authorization: Bearer TOKEN». Nothing was stored.',
    })
  })

  test('spans and release events are refused, each in its own form, and nothing is stored', async () => {
    const spans = await sendTrace('nobody')
    expect(spans.status).toBe(401)
    expect(spans.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'www-authenticate': 'Bearer realm="surety"',
    })
    expect(rpcStatus(spans)).toEqual({
      code: 16,
      message: expect.stringMatching(/^This door asks for a token/) as string,
    })
    const unknown = await sendTrace('nobody', { token: makeToken() })
    expect(rpcStatus(unknown)).toEqual({
      code: 16,
      message: expect.stringMatching(/not known here/) as string,
    })
    const ended = await sendTrace('nobody', { token: secrets.ended })
    expect(rpcStatus(ended)).toEqual({
      code: 16,
      message: expect.stringMatching(/«ended» ended at 2020/) as string,
    })
    expect((await sendRelease('nobody')).status).toBe(401)

    expect((await sendTrace('somebody', { token: secrets.collector })).status).toBe(200)
    expect(await servicesStored()).toEqual(['somebody'])
    const events = await ask(`${surety.url}/api/v1/releases/events`, { token: secrets.reader })
    expect(json(events)).toMatchObject({ items: [] })
    expect(await metricLines('surety_door_refusals_total{door="otlp/http",token="none"')).toEqual([
      'surety_door_refusals_total{door="otlp/http",token="none",reason="no-token"} 1',
      'surety_door_refusals_total{door="otlp/http",token="none",reason="unknown-token"} 1',
    ])
  })
})

describe('with a token', () => {
  test('each opens the doors of its scopes; elsewhere the missing scope is named', async () => {
    expect((await sendTrace('scoped', { token: secrets.collector })).status).toBe(200)
    expect((await sendRelease('scoped', { token: secrets.pipeline })).status).toBe(201)
    for (const path of ['/readyz', '/metrics', '/api/v1/services', '/api/v1/openapi.json'])
      expect((await ask(surety.url + path, { token: secrets.reader })).status).toBe(200)

    const spans = await sendTrace('other', { token: secrets.pipeline })
    expect(spans.status).toBe(403)
    expect(rpcStatus(spans)).toEqual({
      code: 7,
      message:
        'The token «pipeline» lacks the scope «ingest» that this door asks for; it has releases. Nothing was stored.',
    })
    const release = await sendRelease('other', { token: secrets.reader })
    expect(release.status).toBe(403)
    expect(json(release)).toMatchObject({
      code: 'SURETY_TOKEN_SCOPE',
      detail: expect.stringMatching(/«reader» lacks the scope «releases»/) as string,
    })
    const read = await ask(`${surety.url}/api/v1/services`, { token: secrets.collector })
    expect(read.headers['www-authenticate']).toContain('error="insufficient_scope", scope="read"')
    expect(await servicesStored()).not.toContain('other')
  })

  test('readers see what was set aside; its bytes, its replay and backups are for operators', async () => {
    const at = (path: string, token: string, body?: string) =>
      ask(surety.url + path, { token, ...(body === undefined ? {} : { body }) })
    const letter = '/api/v1/dead-letters/0123456789abcdef'
    expect((await at('/api/v1/dead-letters', secrets.reader)).status).toBe(200)
    for (const [path, body] of [
      [`${letter}/payload`, undefined],
      [`${letter}/replay`, ''],
      ['/api/v1/backups', ''],
    ] as const) {
      const refused = await at(path, secrets.reader, body)
      expect(refused.status).toBe(403)
      expect(json(refused)).toMatchObject({
        detail: expect.stringMatching(/lacks the scope «operate»/) as string,
      })
      expect((await at(path, secrets.collector, body)).status).toBe(403)
      expect([202, 404]).toContain((await at(path, secrets.operator, body)).status)
    }
  })

  test('a request to another host is refused whatever its token; ours and loopback are known', async () => {
    const to = (host: string) =>
      ask(`${surety.url}/api/v1/services`, {
        token: secrets.reader,
        headers: { host },
        servername: 'localhost',
      })
    expect((await to('surety.bank.example:8080')).status).toBe(200)
    const foreign = await to('evil.example')
    expect(foreign.status).toBe(403)
    expect(json(foreign)).toMatchObject({ code: 'SURETY_FOREIGN_REQUEST' })
  })

  test('bodies above the token’s limit are refused: declared, chunked, inflated, at every door', async () => {
    const token = secrets.small
    expect((await sendTrace('small', { token }, 1000)).status).toBe(200)
    const declared = await sendTrace('large', { token }, 4000)
    const chunked = await sendTrace(
      'large',
      { token, headers: { ...PROTOBUF, 'transfer-encoding': 'chunked' } },
      4000,
    )
    const inflated = await ask(`${surety.otlpHttpUrl}/v1/traces`, {
      token,
      body: gzipSync(trace('large', 4000)),
      headers: { ...PROTOBUF, 'content-encoding': 'gzip' },
    })
    for (const answer of [declared, chunked, inflated]) {
      expect(answer.status).toBe(413)
      expect(rpcStatus(answer)).toEqual({
        code: 8,
        message: expect.stringMatching(
          /^The body is 4\d\d\d bytes long; the token «small» may send 2000/,
        ) as string,
      })
    }
    const release = await sendRelease('x'.repeat(4000), { token })
    expect(release.status).toBe(413)
    expect(json(release)).toMatchObject({ code: 'SURETY_TOKEN_LIMIT' })
    expect(await servicesStored()).not.toContain('large')
  })

  test('above its rate a token is told when to come again, over all doors together', async () => {
    const token = secrets.slow
    // Reads use it up, whichever test came first.
    expect([200, 429]).toContain((await ask(`${surety.url}/api/v1/services`, { token })).status)
    const spans = await sendTrace('hasty', { token })
    expect(spans.status).toBe(429)
    expect(Number(spans.headers['retry-after'])).toBeGreaterThan(900)
    expect(rpcStatus(spans)).toEqual({
      code: 8,
      message: expect.stringMatching(
        /«slow» sends more than its requestsPerSecond of 0\.001; send again in \d+ s/,
      ) as string,
    })
    const read = await ask(`${surety.url}/api/v1/services`, { token })
    expect(json(read)).toMatchObject({ status: 429, title: 'Too Many Requests', code: 'SURETY_TOKEN_LIMIT' })
    expect(await servicesStored()).not.toContain('hasty')
  })

  test('OTLP/gRPC asks the same guard, over the same TLS', async () => {
    const send = openCaller()
    expect(await send('called', secrets.collector)).toMatchObject({ code: 'OK' })
    expect(await send('uncalled')).toMatchObject({
      code: 'UNAUTHENTICATED',
      details: expect.stringMatching(/^This door asks for a token/) as string,
    })
    expect(await send('uncalled', secrets.pipeline)).toMatchObject({
      code: 'PERMISSION_DENIED',
      details: expect.stringMatching(/lacks the scope «ingest»/) as string,
    })
    expect(await send('uncalled', secrets.small, 4000)).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: expect.stringMatching(/«small» may send 2000/) as string,
    })
    await ask(`${surety.url}/api/v1/services`, { token: secrets.slow })
    expect(await send('uncalled', secrets.slow)).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: expect.stringMatching(/requestsPerSecond/) as string,
    })
    const stored = await servicesStored()
    expect(stored).toContain('called')
    expect(stored).not.toContain('uncalled')
    expect(await metricLines('surety_door_requests_total{door="otlp/grpc",token="collector"}')).toEqual([
      'surety_door_requests_total{door="otlp/grpc",token="collector"} 1',
    ])
  })

  test('what each sends is counted under its name', async () => {
    const before =
      (await metricLines('surety_door_bytes_total{door="otlp/http",token="collector"}'))[0] ?? '0'
    const body = trace('counted', 1000)
    await ask(`${surety.otlpHttpUrl}/v1/traces`, {
      token: secrets.collector,
      body: gzipSync(body),
      headers: { ...PROTOBUF, 'content-encoding': 'gzip' },
    })
    const after = (await metricLines('surety_door_bytes_total{door="otlp/http",token="collector"}'))[0] ?? '0'
    const figure = (line: string) => Number(line.split(' ').at(-1))
    expect(figure(after) - figure(before)).toBe(body.length)
    expect(await metricLines('surety_door_requests_total{door="releases",token="pipeline"}')).toHaveLength(1)
  })
})

test('a token is changed and revoked by the command line while Surety runs', async () => {
  const run = (...words: string[]) =>
    spawnSurety(['token', ...words], { SURETY_TOKENS_FILE: tokensFile }).ended
  const first = await run('create', '--name', 'branch', '--scopes', 'ingest', '--requests-per-second', '100')
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^surety_[\w-]{43}\n$/) as string })
  expect(statSync(tokensFile).mode & 0o777).toBe(0o600)
  const second = await run('create', '--name', 'branch')
  expect(second.stderr).toContain('The earlier one is still good')
  const [old, fresh] = [first.stdout.trim(), second.stdout.trim()]
  expect(readFileSync(tokensFile, 'utf8')).not.toContain(old.slice(7))

  const statusWith = async (token: string) => (await sendTrace('branch', { token })).status
  await eventually(
    () => statusWith(fresh),
    (status) => status === 200,
  )
  expect(await statusWith(old)).toBe(200)

  const third = await run('create', '--name', 'branch')
  expect(third).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/has 2 tokens;.*--keep-newest/) as string,
  })
  const listed = await run('list')
  expect(listed.stdout).toMatch(/^NAME +HASH +SCOPES +NOT AFTER +LIMITS\n/)
  expect(listed.stdout.match(/^branch +[0-9a-f]{8} +ingest +- +requestsPerSecond=100$/gm)).toHaveLength(2)
  expect(listed.stdout).toMatch(/^ended .* 2020-01-01T00:00:00Z \(ended\)/m)

  expect((await run('revoke', '--name', 'branch', '--keep-newest')).stdout).toMatch(
    /^1 token of «branch» revoked/,
  )
  await eventually(
    () => statusWith(old),
    (status) => status === 401,
  )
  expect(await statusWith(fresh)).toBe(200)
  expect((await run('revoke', '--name', 'branch')).code).toBe(0)
  await eventually(
    () => statusWith(fresh),
    (status) => status === 401,
  )
  expect(await metricLines('surety_door_requests_total{door="otlp/http",token="branch"}')).toEqual([])
})

test('a broken file of tokens shuts nobody out, and no stranger in', async () => {
  const good = readFileSync(tokensFile)
  onTestFinished(() => writeFileSync(tokensFile, good))
  writeFileSync(tokensFile, '[')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect((await sendTrace('steady', { token: secrets.collector })).status).toBe(200)
  expect((await sendTrace('steady')).status).toBe(401)
})

describe('TLS', () => {
  const fingerprint = (options: { maxVersion?: 'TLSv1.1' | 'TLSv1.2' } = {}, url = surety.url) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const { hostname, port } = new URL(url)
    const socket = connect(
      { host: hostname, port: Number(port), rejectUnauthorized: false, minVersion: 'TLSv1', ...options },
      () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.end()
      },
    )
    socket.once('error', reject)
    return promise
  }

  test('1.2 at least, and no plain HTTP beside it', async () => {
    await expect(fingerprint({ maxVersion: 'TLSv1.2' })).resolves.toMatch(/^[0-9A-F:]+$/)
    await expect(fingerprint({ maxVersion: 'TLSv1.1' })).rejects.toThrow(/alert|version|protocol/i)
    await expect(ask(`${surety.url.replace('https:', 'http:')}/healthz`)).rejects.toThrow(
      /hang up|reset|Parse/,
    )
  })

  test('OTLP/gRPC speaks it the same way: 1.2 at least, no plain text, no certificate that nobody vouches for', async () => {
    const url = surety.otlpGrpcUrl ?? ''
    expect(url).toMatch(/^https:/)
    await expect(fingerprint({ maxVersion: 'TLSv1.2' }, url)).resolves.toBe(await fingerprint())
    await expect(fingerprint({ maxVersion: 'TLSv1.1' }, url)).rejects.toThrow(/alert|version|protocol/i)
    const stranger = makeCertificate(folder, 'stranger')
    const headers = { authorization: `Bearer ${secrets.collector}` }
    for (const options of [{}, { tls: { ca: readFileSync(stranger.certFile) } }]) {
      const client = openGrpcClient(url, options)
      onTestFinished(() => client.close())
      expect(await client.call(trace('unheard'), EXPORT_TRACES, headers)).toMatchObject({
        code: 'UNAVAILABLE',
      })
    }
    expect(await openCaller()('heard', secrets.collector)).toMatchObject({ code: 'OK' })
    const stored = await servicesStored()
    expect(stored).toContain('heard')
    expect(stored).not.toContain('unheard')
  })

  test('a renewed certificate is shown to new connections; a broken one changes nothing', async () => {
    const before = await fingerprint()
    const renewed = makeCertificate(folder, 'renewed')
    copyFileSync(renewed.certFile, server.certFile)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await fingerprint()).toBe(before)
    copyFileSync(renewed.keyFile, server.keyFile)
    const after = await eventually(fingerprint, (found) => found !== before)
    copyFileSync(renewed.certFile, caFile)
    expect((await ask(`${surety.url}/healthz`)).status).toBe(200)
    expect((await sendTrace('renewed', { token: secrets.collector })).status).toBe(200)
    expect(await fingerprint({}, surety.otlpGrpcUrl)).toBe(after)
    expect(await openCaller()('renewed', secrets.collector)).toMatchObject({ code: 'OK' })
    writeFileSync(server.certFile, 'no certificate')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await fingerprint()).toBe(after)
    copyFileSync(renewed.certFile, server.certFile)
  })
})

describe('a start that would leave a door open', () => {
  const start = async (env: Readonly<Record<string, string>>) => {
    try {
      const started = await serve(
        ROLES,
        { ...BEYOND, ...env, SURETY_DATA_DIR: join(folder, 'never') },
        nothingIsLoopback,
      )
      await started.lifecycle.stop()
      return []
    } catch (error) {
      return error instanceof ConfigError ? error.problems : [String(error)]
    }
  }

  test('is refused with everything that is to be set', async () => {
    const [problem, ...more] = await start({
      SURETY_TOKENS_FILE: '',
      SURETY_TLS_CERT_FILE: '',
      SURETY_TLS_KEY_FILE: '',
      SURETY_ALLOWED_HOSTS: '',
    })
    expect(more).toEqual([])
    expect(problem).toMatch(
      /^SURETY_HOST="127.0.0.1": .*SURETY_TOKENS_FILE.*SURETY_TLS_CERT_FILE.*SURETY_TLS_TERMINATED=1.*SURETY_ALLOWED_HOSTS/,
    )
  })

  test('is refused for files that cannot be used, all at once', async () => {
    const open = join(folder, 'open.json')
    writeFileSync(open, '[]')
    chmodSync(open, 0o666)
    const other = makeCertificate(folder, 'other')
    expect(
      await start({
        SURETY_TOKENS_FILE: open,
        SURETY_TLS_KEY_FILE: other.keyFile,
        SURETY_TLS_CLIENT_CA_FILE: open,
      }),
    ).toEqual([
      expect.stringMatching(/^SURETY_TOKENS_FILE=".*open.json": may be written by every user/),
      expect.stringMatching(/^SURETY_TLS_CLIENT_CA_FILE=".*open.json": is not a certificate in PEM/),
      expect.stringMatching(/^SURETY_TLS_KEY_FILE=".*other.key": is not the key of SURETY_TLS_CERT_FILE/),
    ])
  })
})

describe('with client certificates', () => {
  let client: Certificate
  let stranger: Certificate
  const shown = ({ certFile, keyFile }: Certificate) => ({
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
  })

  beforeAll(async () => {
    await surety.lifecycle.stop()
    client = makeCertificate(folder, 'client')
    stranger = makeCertificate(folder, 'stranger')
    const env = { ...BEYOND, SURETY_TLS_CLIENT_CA_FILE: client.certFile }
    surety = await serve(ROLES, { ...env, SURETY_DATA_DIR: join(folder, 'data') }, nothingIsLoopback)
  })

  test('no connection without one that our CA has signed, and the token is asked for all the same', async () => {
    for (const url of [`${surety.url}/healthz`, `${surety.otlpHttpUrl}/v1/traces`]) {
      await expect(ask(url)).rejects.toThrow(/certificate required|reset|hang up|EPIPE/)
      await expect(ask(url, shown(stranger))).rejects.toThrow(/unknown ca|reset|hang up|EPIPE/i)
    }
    expect((await ask(`${surety.url}/healthz`, shown(client))).status).toBe(200)
    expect((await sendTrace('mutual', shown(client))).status).toBe(401)
    expect((await sendTrace('mutual', { ...shown(client), token: secrets.collector })).status).toBe(200)
  })

  test('OTLP/gRPC too: whoever shows none, or a stranger’s, is not heard whatever the token', async () => {
    for (const call of [openCaller(), openCaller(shown(stranger))])
      expect(await call('unmet', secrets.collector)).toMatchObject({ code: 'UNAVAILABLE' })
    const call = openCaller(shown(client))
    expect(await call('unmet')).toMatchObject({
      code: 'UNAUTHENTICATED',
      details: expect.stringMatching(/^This door asks for a token/) as string,
    })
    expect(await call('unmet', secrets.pipeline)).toMatchObject({ code: 'PERMISSION_DENIED' })
    expect(await call('met', secrets.collector)).toMatchObject({ code: 'OK' })
    const stored = await servicesStored(shown(client))
    expect(stored).toContain('met')
    expect(stored).not.toContain('unmet')
  })
})

test('behind a proxy that ends TLS the doors speak plain HTTP and ask for tokens', async () => {
  await surety.lifecycle.stop()
  const env = { ...BEYOND, SURETY_TLS_CERT_FILE: '', SURETY_TLS_KEY_FILE: '', SURETY_TLS_TERMINATED: '1' }
  surety = await serve(ROLES, { ...env, SURETY_DATA_DIR: join(folder, 'data') }, nothingIsLoopback)
  expect(surety.url).toMatch(/^http:/)
  expect((await sendTrace('proxied')).status).toBe(401)
  expect((await sendTrace('proxied', { token: secrets.collector })).status).toBe(200)
  expect(await servicesStored()).toContain('proxied')
})
