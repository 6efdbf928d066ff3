import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { EXPORT_TRACES, openGrpcClient, openRawCall } from '../../test/support/grpc.ts'
import type { DoorGuard, Refusal } from '../runtime/door-guard.ts'
import { buildLogger } from '../runtime/logger.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { buildGrpcDoor, type GrpcDoorParts } from './grpc-door.ts'
import type { Take, Takes } from './take.ts'

const STORED = { kind: 'stored', rejectedRows: 0, message: '' } as const
const body = Buffer.from([1, 2, 3])

const takesOf = (take: Take): Takes => ({ traces: take, metrics: take, logs: take })

const build = (parts: Partial<GrpcDoorParts> = {}) =>
  buildGrpcDoor({
    takes: takesOf(() => Promise.resolve(STORED)),
    budget: { bytesMax: 1, used: () => 0, take: () => undefined, give: () => undefined },
    metrics: buildMetrics(),
    logger: buildLogger('silent'),
    bodyBytesMax: 1e6,
    ...parts,
  })

async function open(parts: Partial<GrpcDoorParts> = {}) {
  const door = build(parts)
  const url = await door.listen({ host: '127.0.0.1', port: 0 })
  const client = openGrpcClient(url)
  onTestFinished(async () => {
    client.close()
    await door.close()
  })
  return { door, url, client }
}

test('the bytes are passed on as they came, with the door and the sender', async () => {
  const seen: unknown[] = []
  const { client } = await open({
    takes: takesOf((bytes, door, sender) => {
      seen.push({ bytes: Buffer.from(bytes), door, sender })
      return Promise.resolve(STORED)
    }),
  })
  expect(await client.call(body)).toMatchObject({ code: 'OK', bytes: Buffer.alloc(0) })
  expect(seen).toEqual([{ bytes: body, door: 'otlp/grpc', sender: '' }])
})

describe('what became of a request is told by its code', () => {
  test.each([
    {
      name: 'refused',
      taken: { kind: 'refused', message: 'bad' },
      want: ['INVALID_ARGUMENT', 'bad', undefined],
    },
    { name: 'busy', taken: { kind: 'busy', message: 'later' }, want: ['UNAVAILABLE', 'later', 2] },
    {
      name: 'text beyond ASCII, cut where a header still carries it',
      taken: { kind: 'refused', message: '账\n'.repeat(299) + '账😀😀' },
      want: ['INVALID_ARGUMENT', `${'账\n'.repeat(299)}账\ufffd`, undefined],
    },
  ] as const)('$name', async ({ taken, want }) => {
    const { client } = await open({ takes: takesOf(() => Promise.resolve(taken)) })
    const { code, details, retryAfterSeconds } = await client.call(body)
    expect([code, details, retryAfterSeconds]).toEqual(want)
  })

  test.each([
    {
      name: 'a store that is busy',
      error: Object.assign(new Error('later'), { retryable: true }),
      want: ['UNAVAILABLE', 'later', 2],
    },
    {
      name: 'a failure of ours',
      error: new Error('secret'),
      want: ['INTERNAL', 'Surety could not take the request; the cause is in its log', undefined],
    },
  ])('$name', async ({ error, want }) => {
    const { client } = await open({ takes: takesOf(() => Promise.reject(error)) })
    const { code, details, retryAfterSeconds } = await client.call(body)
    expect([code, details, retryAfterSeconds]).toEqual(want)
  })
})

describe('the door guard', () => {
  const refusal = (more: Partial<Refusal>): Refusal => ({
    kind: 'refused',
    reason: 'no-token',
    status: 401,
    code: 'SURETY_TOKEN_REFUSED',
    rpcCode: 16,
    message: 'no',
    headers: {},
    ...more,
  })

  test.each([
    { name: 'no token', more: {}, want: ['UNAUTHENTICATED', undefined] },
    { name: 'no scope', more: { rpcCode: 7 }, want: ['PERMISSION_DENIED', undefined] },
    {
      name: 'too much',
      more: { rpcCode: 8, headers: { 'retry-after': '7' } },
      want: ['RESOURCE_EXHAUSTED', 7],
    },
  ] as const)('$name: refused before the message is taken', async ({ more, want }) => {
    const guard: DoorGuard = { asks: true, admit: () => refusal(more) }
    const { client } = await open({
      guard,
      takes: takesOf(() => Promise.reject(new Error('must not be asked'))),
    })
    const { code, details, retryAfterSeconds } = await client.call(body)
    expect([code, retryAfterSeconds]).toEqual(want)
    expect(details).toBe('no')
  })

  test('is asked with the metadata, charged with the message, and names the sender', async () => {
    const seen: unknown[] = []
    const guard: DoorGuard = {
      asks: true,
      admit(request) {
        seen.push(request)
        return {
          kind: 'admitted',
          token: 'collector',
          charge(bytes) {
            seen.push(bytes)
            return bytes > 3 ? refusal({ rpcCode: 8, message: 'too long' }) : undefined
          },
        }
      },
    }
    const take: Take = (_bytes, _door, sender) => {
      seen.push(sender)
      return Promise.resolve(STORED)
    }
    const { client } = await open({ guard, takes: takesOf(take) })
    expect(await client.call(body, undefined, { authorization: 'Bearer t' })).toMatchObject({ code: 'OK' })
    expect(seen).toEqual([{ door: 'otlp/grpc', scope: 'ingest', authorization: 'Bearer t' }, 3, 'collector'])
    const long = await client.call(Buffer.alloc(4))
    expect(long).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: 'too long',
      retryAfterSeconds: undefined,
    })
  })
})

test('more messages under way than there is room for are sent away, and room comes back', async () => {
  const { client, url } = await open()
  const calls = await Promise.all([openRawCall(url), openRawCall(url)])
  const streams = calls.flatMap(({ session, stream }) => [
    stream,
    ...Array.from({ length: 63 }, () =>
      session.request({ ':method': 'POST', ':path': EXPORT_TRACES, 'content-type': 'application/grpc' }),
    ),
  ])
  for (const stream of streams) stream.on('error', () => undefined)
  let answer = await client.call(body)
  // Streams are opened by frames; the last may arrive after the call.
  while (answer.code === 'OK') answer = await client.call(body)
  expect(answer).toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 2 })
  expect(answer.details).toMatch(/^Surety is receiving 128 messages at once already/)
  for (const { close } of calls) close()
  while (answer.code !== 'OK') answer = await client.call(body)
})

test('a port that is taken is said as such', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  const door = build()
  await expect(door.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await door.close()
})
