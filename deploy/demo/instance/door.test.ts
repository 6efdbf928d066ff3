import { once } from 'node:events'
import http from 'node:http'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { openDoor } from './door.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

async function setUp() {
  const server = http.createServer((_request, response) => response.end('served'))
  const problems: (string | undefined)[] = []
  const door = await openDoor(server, (problem) => problems.push(problem))
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(async () => {
    agent.destroy()
    await door.close()
  })
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port: door.port, agent }, (response) => {
        response.setEncoding('utf8').once('data', resolve)
      })
      request.once('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code)))
    })
  return { server, door, problems, ask }
}

/** Another program that takes the port while the door is shut. */
async function hold(port: number): Promise<Server> {
  const holder = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  return holder
}

test('shut, the port is free and connections are cut; open again, it is the same port', async () => {
  const { door, problems, ask } = await setUp()
  expect(await ask()).toBe('served')
  door.setOpen(false)
  await expect(ask()).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
  const holder = await hold(door.port)
  holder.close()
  await once(holder, 'close')
  door.setOpen(true)
  expect(await ask()).toBe('served')
  expect(problems).toEqual([])
})

test('a port that another program holds is told once and tried until it is free', async () => {
  const { server, door, problems, ask } = await setUp()
  door.setOpen(false)
  const holder = await hold(door.port)
  door.setOpen(true)
  await vi.waitUntil(() => problems.length > 0)
  for (let tries = 0; tries < 3; tries += 1) {
    const failed = once(server, 'error')
    await vi.advanceTimersByTimeAsync(1000)
    expect(await failed).toMatchObject([{ code: 'EADDRINUSE' }])
  }
  expect(problems).toEqual([expect.stringMatching(/EADDRINUSE.*127\.0\.0\.1:\d+/)])
  holder.close()
  await once(holder, 'close')
  const open = once(server, 'listening')
  await vi.advanceTimersByTimeAsync(1000)
  await open
  expect(await ask()).toBe('served')
  expect(problems.slice(1)).toEqual([undefined])
})

test.each(['shut', 'closed'] as const)(
  '%s while it waits for its port, it does not try again',
  async (end) => {
    const { server, door, problems } = await setUp()
    door.setOpen(false)
    const holder = await hold(door.port)
    door.setOpen(true)
    await vi.waitUntil(() => problems.length > 0)
    expect(vi.getTimerCount()).toBe(1)
    if (end === 'shut') door.setOpen(false)
    else await door.close()
    expect(vi.getTimerCount()).toBe(0)
    holder.close()
    await once(holder, 'close')
    expect(server.listening).toBe(false)
  },
)

test('a connection that cannot be accepted ends nothing', async () => {
  const { server, problems, ask } = await setUp()
  server.emit('error', new Error('accept EMFILE'))
  expect(vi.getTimerCount()).toBe(0)
  expect(await ask()).toBe('served')
  expect(problems).toEqual(['accept EMFILE'])
})
