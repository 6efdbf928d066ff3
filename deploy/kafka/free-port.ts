// A port for what has to know its own before it listens, or listens on it again after a stop.

import { once } from 'node:events'
import { createServer } from 'node:net'

// Below what systems take for outgoing connections, any of which would have the port meanwhile.
const FIRST = 12_000
const COUNT = 16_000
const ATTEMPTS_MAX = 100

/** @returns a port of 127.0.0.1 that nobody listens on @throws Error when none was found */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await isFree(port)) return port
  }
  throw new Error(`Of ${ATTEMPTS_MAX} ports of 127.0.0.1 none was free.`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
