// Error signatures from span events, over HTTP and the real engine.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import type { ServiceErrorsReply } from '../../query/http/schemas.ts'
import { traceRequest, type Attributes } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

let surety: TestSurety
beforeAll(async () => void (surety = await startSurety()))
afterAll(() => surety.stop())

const nowMs = Date.now()
let sequence = 0
/** One request with an event for each given set of attributes. */
async function send(service: string, version: string, minutesAgo: number, exceptions: readonly Attributes[]) {
  sequence += 1
  const traceId = Buffer.alloc(16, 0xaa)
  traceId.writeUInt32BE(sequence, 0)
  const startNs = BigInt(nowMs - minutesAgo * 60_000) * 1_000_000n
  const events = [
    { atNs: startNs, name: 'cache miss', attributes: { 'exception.type': 'NotOne' } },
    ...exceptions.map((attributes) => ({ atNs: startNs, name: 'exception', attributes })),
  ]
  const span = { traceId, spanId: Buffer.alloc(8, 1), name: 'op', startNs, endNs: startNs, events }
  const attributes = { 'service.name': service, 'service.version': version }
  const sent = await surety.send(traceRequest([{ attributes, spans: [span] }]))
  if (sent.status !== 200) throw new Error(sent.text)
  return traceId.toString('hex')
}
const errorsOf = async (service: string, query = '') =>
  (
    await surety.get<z.infer<typeof ServiceErrorsReply>>(
      `/api/v1/services/${encodeURIComponent(service)}/errors?${query}`,
    )
  ).items

const limitError = (id: number) => ({
  'exception.type': 'LimitError',
  'exception.message': `user "u${id}" is over ${id}.50 at 10.0.0.${id}:443, can't book 'x${id}', request ${id}af7651916cd43dd, 0f8fad5b-d9cb-469f-a165-7086772895${id}`,
  'exception.stacktrace': `LimitError\n\tat bank.Limit.check(Limit.java:${id})\n\tat bank.Main.main(Main.java:1)`,
})

test('what differs in numbers, ids and quoted texts only is one signature, new with its version', async () => {
  await send('limit', '1.0', 9, [])
  await send('limit', '1.1', 6, [limitError(11), limitError(12)])
  const last = await send('limit', '1.1', 3, [limitError(13)])
  await send('limit', '1.1', 3, [{ 'exception.type': 'Other', 'exception.message': 'plain' }])
  const items = await errorsOf('limit')
  expect(items).toEqual([
    {
      signature: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      type: 'LimitError',
      message: `user <text> is over <n> at <n>, can't book <text>, request <hex>, <id>`,
      frame: 'bank.Limit.check',
      occurrences: 3,
      versions: [{ version: '1.1', occurrences: 3 }],
      firstSeenAt: new Date(nowMs - 360_000).toISOString(),
      firstSeenVersion: '1.1',
      isNewInVersion: true,
      lastSeenAt: new Date(nowMs - 180_000).toISOString(),
      exampleTraceId: last,
    },
    expect.objectContaining({ type: 'Other', message: 'plain', frame: '', occurrences: 1 }),
  ])
})

test('first seen reaches back beyond the range', async () => {
  await send('old', '1.0', 100, [limitError(11)])
  await send('old', '2.0', 5, [limitError(12)])
  const [item] = await errorsOf('old', 'from=-15m')
  expect(item).toMatchObject({
    occurrences: 1,
    versions: [{ version: '2.0', occurrences: 1 }],
    firstSeenVersion: '1.0',
    firstSeenAt: new Date(nowMs - 6_000_000).toISOString(),
    isNewInVersion: false,
  })
})

test('the top frame of a Python stack is its last', async () => {
  const stack =
    'Traceback (most recent call last):\n  File "a.py", line 3, in outer\n  File "b.py", line 9, in inner\nE: x'
  await send('python', '1', 1, [{ 'exception.type': 'E', 'exception.stacktrace': stack }])
  expect((await errorsOf('python'))[0]).toMatchObject({ frame: 'inner', message: '' })
})

test('hostile texts are texts', async () => {
  const hostile = `'); \n\nDROP TABLE spans\n\n-- \\ "`
  const ours = {
    'exception.type': hostile,
    'exception.message': hostile.repeat(500),
    'exception.stacktrace': hostile,
  }
  await send(hostile, hostile, 1, [ours, {}, { 'exception.message': { bytes: Buffer.from([0, 255]) } }])
  const items = await errorsOf(hostile)
  expect(items.find(({ type }) => type === hostile)?.message.length).toBeLessThanOrEqual(300)
  expect(items.reduce((sum, { occurrences }) => sum + occurrences, 0)).toBe(3)
  expect(await errorsOf('nobody')).toEqual([])
})
