// What a sender was answered is true: across a stop that comes while requests wait, across a pipeline that is
// full. Timelines of a process of its own; afterwards a restart on the same directory counts what is there.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ServicesReply } from '../../query/http/schemas.ts'
import { traceRequest, type SpanInput } from '../support/otlp.ts'
import { eventually } from '../support/surety.ts'
import { makeEmptyData } from '../support/empty-data.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'

const MIB = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'surety-drain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Sent = { readonly service: string; readonly status: number; readonly retryAfter: string | null }

/** One request of one service, so that what is stored can be told by name. */
function requestOf(service: string, spans: number, bytesPerSpan = 0): Buffer {
  const startNs = BigInt(Date.now() - 1000) * 1_000_000n
  const attributes = { padding: 'x'.repeat(bytesPerSpan) }
  const made = Array.from({ length: spans }, (_, index): SpanInput => {
    const spanId = Buffer.alloc(8)
    spanId.writeUInt32BE(index + 1)
    return { traceId: Buffer.alloc(16, 7), spanId, name: 'op', startNs, endNs: startNs, attributes }
  })
  return traceRequest([{ attributes: { 'service.name': service }, spans: made }])
}

async function send(otlpHttpUrl: string, service: string, body: Buffer): Promise<Sent> {
  const reply = await fetch(`${otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: body as Uint8Array<ArrayBuffer>,
  })
  await reply.arrayBuffer()
  return { service, status: reply.status, retryAfter: reply.headers.get('retry-after') }
}

/** Opens a request and waits until the server has let it in; the body follows when it is finished. */
async function openRequest(otlpHttpUrl: string) {
  const headers = { 'content-type': 'application/x-protobuf', expect: '100-continue' }
  const opened = request(`${otlpHttpUrl}/v1/traces`, { method: 'POST', agent: false, headers })
  const replied = once(opened, 'response') as Promise<[IncomingMessage]>
  opened.flushHeaders()
  await once(opened, 'continue')
  return async (service: string, body: Buffer): Promise<Sent> => {
    opened.end(body)
    const [reply] = await replied
    reply.resume()
    return { service, status: reply.statusCode ?? 0, retryAfter: reply.headers['retry-after'] ?? null }
  }
}

async function start(name: string, env: Readonly<Record<string, string>>) {
  const dataDir = join(folder, name)
  await makeEmptyData(dataDir)
  const surety = spawnSurety(['serve'], { SURETY_DATA_DIR: dataDir, ...env })
  onTestFinished(async () => {
    surety.kill('SIGKILL')
    await surety.ended
  })
  return { surety, dataDir, ...(await surety.ready()) }
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}
const pendingBytes = (url: string) => metric(url, 'surety_ingest_pending_bytes')

/** Requests by service, as a person would see them. */
async function counted(url: string): Promise<Readonly<Record<string, number>>> {
  const { items } = (await (await fetch(`${url}/api/v1/services?from=-1h`)).json()) as ServicesReply
  return Object.fromEntries(items.map(({ service, requests }) => [service, requests]))
}

/** Starts again on the directory and counts; a clean stop is part of it. */
async function countedAfterRestart(dataDir: string) {
  const again = spawnSurety(['serve', '--roles', 'query'], { SURETY_DATA_DIR: dataDir })
  const { url } = await again.ready()
  const result = await counted(url)
  again.kill()
  expect((await again.ended).code).toBe(0)
  return result
}

/** What a new connection meets: undefined when it was taken. */
function connectionError(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

async function endedWithin(surety: SuretyProcess, limitMs: number) {
  const startedAt = Date.now()
  const ended = await surety.ended
  expect(Date.now() - startedAt).toBeLessThan(limitMs)
  return ended
}

describe('a stop while requests wait for their batch', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: they are stored and answered 200, nobody new is let in, and the process ends with 0',
    async (signal) => {
      const { surety, dataDir, url, otlpHttpUrl } = await start(signal, { SURETY_LINGER_MS: '60000' })
      const services = Array.from({ length: 30 }, (_, index) => `in-flight-${index}`)
      const bodies = services.map((service) => requestOf(service, 10))
      const bytes = bodies.reduce((sum, body) => sum + body.length, 0)
      let answered = 0
      const flying = services.map((service, index) =>
        send(otlpHttpUrl, service, bodies[index] ?? Buffer.alloc(0)).finally(() => (answered += 1)),
      )
      await eventually(
        () => pendingBytes(url),
        (pending) => pending === bytes,
      )
      expect(answered).toBe(0)

      surety.kill(signal)
      const refused = eventually(
        () => connectionError(otlpHttpUrl),
        (code) => code === 'ECONNREFUSED',
      )
      const ended = endedWithin(surety, 45_000)
      expect(await Promise.all(flying)).toEqual(
        services.map((service) => ({ service, status: 200, retryAfter: null })),
      )
      await refused
      expect(await ended).toMatchObject({ code: 0, stderr: '' })
      expect(await connectionError(url)).toBe('ECONNREFUSED')
      expect(await countedAfterRestart(dataDir)).toEqual(
        Object.fromEntries(services.map((service) => [service, 10])),
      )
    },
  )

  test('a sender that holds its connection open does not hold up the stop', async () => {
    const { surety, otlpHttpUrl, dataDir } = await start('idle', { SURETY_LINGER_MS: '50' })
    const idle = connect(Number(new URL(otlpHttpUrl).port), '127.0.0.1')
    idle.on('error', () => undefined)
    onTestFinished(() => void idle.destroy())
    expect(await send(otlpHttpUrl, 'kept-alive', requestOf('kept-alive', 1))).toMatchObject({ status: 200 })
    surety.kill()
    expect((await endedWithin(surety, 45_000)).code).toBe(0)
    expect(await countedAfterRestart(dataDir)).toEqual({ 'kept-alive': 1 })
  })
})

describe('a pipeline that is full', () => {
  test('says 503 with Retry-After, takes requests again when it has room, and every answer is true', async () => {
    const { surety, dataDir, url, otlpHttpUrl } = await start('full', {
      SURETY_LINGER_MS: '1500',
      SURETY_PENDING_BYTES_MAX: String(MIB),
    })
    const sent: Sent[] = []
    const post = async (service: string, spans: number, bytesPerSpan = 0) => {
      const outcome = await send(otlpHttpUrl, service, requestOf(service, spans, bytesPerSpan))
      sent.push(outcome)
      return outcome
    }
    // Two requests of 0.6 MiB fill it until their batch is due.
    const first = [post('first-0', 60, 10_000), post('first-1', 60, 10_000)]
    await eventually(
      () => pendingBytes(url),
      (pending) => pending >= MIB,
    )
    const ready = await fetch(`${url}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.text()).toContain('SURETY_PENDING_BYTES_MAX')
    const during = await Promise.all(Array.from({ length: 10 }, (_, index) => post(`during-${index}`, 5)))
    expect(during.map(({ status, retryAfter }) => ({ status, retryAfter }))).toEqual(
      Array.from({ length: 10 }, () => ({ status: 503, retryAfter: '2' })),
    )
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
    expect(await post('after', 5)).toMatchObject({ status: 200 })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)

    // Twenty were let in while there was room and send their bodies together: only two of these fit.
    const crowd = await Promise.all(Array.from({ length: 20 }, () => openRequest(otlpHttpUrl)))
    const answers = await Promise.all(
      crowd.map((finish, index) => finish(`crowd-${index}`, requestOf(`crowd-${index}`, 60, 10_000))),
    )
    sent.push(...answers)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2)
    expect(answers.filter(({ status, retryAfter }) => status === 503 && retryAfter === '2')).toHaveLength(18)
    expect(await post('last', 5)).toMatchObject({ status: 200 })
    expect(await pendingBytes(url)).toBe(0)

    surety.kill()
    expect((await surety.ended).code).toBe(0)
    const stored = await countedAfterRestart(dataDir)
    const taken = sent.filter(({ status }) => status === 200).map(({ service }) => service)
    expect(Object.keys(stored).toSorted()).toEqual(taken.toSorted())
    for (const service of taken)
      expect([service, stored[service]]).toEqual([service, /crowd|first/.test(service) ? 60 : 5])
  })
})
