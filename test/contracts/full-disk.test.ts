// A disk that fills up, for real: Surety runs on a small file system of its own (a tmpfs in a mount namespace, which
// needs no privilege where user namespaces are allowed), a ballast takes the rest, and is taken away again.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../deploy/kafka/free-port.ts'
import type { IngestStatusReply, ServicesReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { eventually } from '../support/surety.ts'

const UNSHARE = ['-rm', 'sh', '-c']
const canMount =
  spawnSync('unshare', [...UNSHARE, 'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d"']).status === 0
if (!canMount)
  process.stderr.write(
    'full-disk.test.ts is skipped: this system allows no user namespaces («unshare -rm» fails)\n',
  )

const SPANS = 64
const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
const requests = bankRequests({ seed: 7, requests: 60, spansPerRequest: SPANS, startNs })

const folder = mkdtempSync(join(tmpdir(), 'surety-full-'))
let surety: ChildProcess
let ports: readonly number[]
let log = ''
let inside: string

const url = (path: string) => `http://127.0.0.1:${ports[0]}${path}`
const get = async <Reply>(path: string) => (await (await fetch(url(path))).json()) as Reply
const rows = async () => (await get<IngestStatusReply>('/api/v1/ingest/status')).spans.rows
async function send(body: Uint8Array) {
  const reply = await fetch(`http://127.0.0.1:${ports[1]}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: body as Uint8Array<ArrayBuffer>,
  })
  return { status: reply.status, retryAfter: reply.headers.get('retry-after') }
}

/** Takes all but some bytes of the disk, and whatever merges and the registry give back meanwhile. @returns ends that */
function fill(left: number): () => void {
  const top = () => {
    const { bavail, bsize } = statfsSync(inside)
    try {
      if (bavail * bsize > left) appendFileSync(join(inside, 'ballast'), Buffer.alloc(bavail * bsize - left))
    } catch {
      // Somebody else took it in between.
    }
  }
  top()
  const timer = setInterval(top, 10)
  return () => clearInterval(timer)
}

const linesWith = (text: string) => log.split('\n').filter((line) => line.includes(text))

beforeAll(async () => {
  if (!canMount) return
  ports = [await freePort(), await freePort(), await freePort()]
  // Nobody else writes and frees meanwhile.
  const script = `mount -t tmpfs -o size=256m tmpfs "$0" && exec "$1" deploy/surety.ts serve --roles ingest,query`
  surety = spawn('unshare', [...UNSHARE, script, folder, process.execPath], {
    cwd: new URL('../..', import.meta.url),
    env: {
      PATH: process.env['PATH'],
      UV_THREADPOOL_SIZE: '16',
      SURETY_DATA_DIR: join(folder, 'data'),
      SURETY_HTTP_PORT: String(ports[0]),
      SURETY_OTLP_HTTP_PORT: String(ports[1]),
      SURETY_OTLP_GRPC_PORT: String(ports[2]),
      SURETY_VISITORS: 'viewer',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const keep = (chunk: Buffer) => void (log += chunk.toString())
  surety.stdout?.on('data', keep)
  surety.stderr?.on('data', keep)
  inside = `/proc/${surety.pid}/root${folder}`
  await eventually(
    () =>
      fetch(url('/healthz')).then(
        ({ status }) => status,
        () => 0,
      ),
    (status) => status === 200,
  )
})

afterAll(async () => {
  if (canMount) {
    const ended = once(surety, 'exit')
    surety.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

// From the bytes that an insert needs, down to none for the door's own journal.
test.skipIf(!canMount).each([
  { left: 40_000, part: [1, 20] },
  { left: 0, part: [20, 40] },
])(
  'with $left bytes left senders are told to come again, it is said once, and nothing is lost',
  async ({ left, part: [from, to] }) => {
    expect((await send(requests[0] as Buffer)).status).toBe(200)
    const before = await rows()
    const saidBefore = linesWith('does not take a batch').length
    const stopFilling = fill(left)
    const mine = requests.slice(from, to)
    const refused = await Promise.all(mine.map(send))
    for (const answer of refused) expect(answer).toEqual({ status: 503, retryAfter: '2' })
    expect((await fetch(url('/healthz'))).status).toBe(200)
    expect(linesWith('does not take a batch').length - saidBefore).toBeLessThanOrEqual(2)

    stopFilling()
    rmSync(join(inside, 'ballast'))
    // As exporters do: the same bytes again until they are taken. What was on its way meanwhile is not stored twice.
    for (const body of mine)
      await eventually(
        () => send(body),
        ({ status }) => status === 200,
      )
    await eventually(rows, (count) => count >= before + mine.length * SPANS)
    expect(await rows()).toBe(before + mine.length * SPANS)
    const { deadLetters } = await get<IngestStatusReply>('/api/v1/ingest/status')
    expect(deadLetters.total).toBe(0)
    const { items } = await get<ServicesReply>('/api/v1/services')
    expect(items.reduce((sum, item) => sum + item.requests, 0)).toBe((await rows()) / 2)
  },
  120_000,
)
