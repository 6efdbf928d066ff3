// Acknowledged means durable, and once: repeats of a request, a crash at any moment, senders that send again what was
// not answered. The process is really killed; the store is asked afterwards.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from '../../ingest/pipeline/journal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import type { IngestStatusReply, ServicesReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { makeEmptyStore } from '../support/empty-data.ts'
import { random } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'

const SPANS = 32
const isLong = process.env['SURETY_TEST_LONG'] === '1'
let folder: string
let running: TestSurety | undefined
let child: SuretyProcess | undefined
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'surety-durable-'))))
afterEach(async () => {
  await running?.stop()
  running = undefined
  child?.kill('SIGKILL')
  await child?.ended
  child = undefined
  rmSync(folder, { recursive: true, force: true })
})

const requests = (seed: number, count: number) =>
  bankRequests({
    seed,
    requests: count,
    spansPerRequest: SPANS,
    startNs: BigInt(Date.now() - 60_000) * 1_000_000n,
  })

async function counts(surety: TestSurety) {
  const { spans } = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
  const { items } = await surety.get<ServicesReply>('/api/v1/services?from=-1h')
  return { spans: spans.rows, requests: items.reduce((sum, item) => sum + item.requests, 0) }
}

const whole = (sent: number) => ({ spans: sent * SPANS, requests: (sent * SPANS) / 2 })

test('a request that is repeated byte for byte is stored once, one after another, at once, and across a restart', async () => {
  const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = requests(1, 2)
  const dataDir = join(folder, 'data')
  running = await startSurety({ SURETY_DATA_DIR: dataDir })
  const surety = running
  for (const reply of await Promise.all(Array.from({ length: 10 }, () => surety.send(one))))
    expect(reply.status).toBe(200)
  for (let round = 0; round < 3; round += 1) expect((await surety.send(one)).status).toBe(200)
  expect(await counts(surety)).toEqual(whole(1))
  await surety.stop()
  running = await startSurety({ SURETY_DATA_DIR: dataDir })
  expect((await running.send(one)).status).toBe(200)
  expect((await running.send(other)).status).toBe(200)
  expect(await counts(running)).toEqual(whole(2))
})

test('a batch that was on disk and not in the store when the process died is completed at the next start', async () => {
  const dataDir = join(folder, 'data')
  const journal = await openJournal(join(dataDir, 'journal'), systemClock)
  const bodies = requests(2, 3)
  const digest = (body: Buffer) => createHash('sha256').update('\n').update(body).digest('hex')
  const items = bodies.map((body) => ({ body, digest: digest(body), origin: 'otlp/http' }))
  await journal.begin({ token: 'doors/earlier/1', items })
  await journal.close()
  running = await startSurety({ SURETY_DATA_DIR: dataDir })
  expect(await counts(running)).toEqual(whole(3))
  // The sender never had its answer and sends again.
  for (const body of bodies) expect((await running.send(body)).status).toBe(200)
  expect(await counts(running)).toEqual(whole(3))
})

test('killed again and again while senders repeat what was not answered: all is there, once', async () => {
  const dataDir = join(folder, 'data')
  await makeEmptyStore(dataDir)
  const next = random(5)
  const kills = isLong ? 20 : 3
  let sent = 0
  for (let kill = 0; kill <= kills; kill += 1) {
    child = spawnSurety(['serve', '--roles', 'ingest'], { SURETY_DATA_DIR: dataDir, SURETY_LINGER_MS: '30' })
    const { otlpHttpUrl } = await child.ready()
    const bodies = requests(100 + kill, 60)
    let unanswered = [...bodies]
    const killAt = kill === kills ? undefined : Date.now() + 50 + next() * 400
    const killed =
      killAt === undefined ? undefined : setTimeout(() => child?.kill('SIGKILL'), killAt - Date.now())
    unanswered = await sendAll(otlpHttpUrl, unanswered)
    clearTimeout(killed)
    if (unanswered.length > 0) {
      await child.ended
      child = spawnSurety(['serve', '--roles', 'ingest'], {
        SURETY_DATA_DIR: dataDir,
        SURETY_LINGER_MS: '30',
      })
      expect(await sendAll((await child.ready()).otlpHttpUrl, unanswered)).toEqual([])
    }
    sent += bodies.length
    child.kill('SIGKILL')
    await child.ended
  }
  running = await startSurety({ SURETY_DATA_DIR: dataDir })
  expect(await counts(running)).toEqual(whole(sent))
}, 300_000)

/** @returns the bodies that were not answered with 200 */
async function sendAll(otlpHttpUrl: string, bodies: readonly Buffer[]): Promise<Buffer[]> {
  const unanswered: Buffer[] = []
  const queue = [...bodies]
  async function sender(): Promise<void> {
    for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
      try {
        const reply = await fetch(`${otlpHttpUrl}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: body as Uint8Array<ArrayBuffer>,
        })
        await reply.arrayBuffer()
        if (reply.status !== 200) unanswered.push(body)
      } catch {
        unanswered.push(body)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, sender))
  return unanswered
}
