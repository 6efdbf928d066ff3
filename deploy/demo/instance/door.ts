// The port of one instance. It is given up while the site is down and taken again when the site is back; whoever holds it
// by then is waited for.
//
// States: open ⇄ shut; shut → waiting (somebody else holds the port) → open; any → closed.

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'
const AGAIN_MS = 1_000
const SWEEP_EVERY_MS = 50

export interface Door {
  readonly port: number
  /** Shut: the port is free and every connection cut, as when a site loses its power. */
  setOpen(isOpen: boolean): void
  /** Answers what has arrived and closes. */
  close(): Promise<void>
}

/** @param report  why the port cannot be used, once; undefined when it can be again */
export async function openDoor(server: Server, report: (problem: string | undefined) => void): Promise<Door> {
  server.listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let problem: string | undefined
  let again: NodeJS.Timeout | undefined

  const listen = () => void server.listen(port, HOST)
  server.on('listening', () => tell(undefined))
  server.on('error', (error) => {
    tell(error.message)
    // A connection that could not be accepted is no reason to listen twice.
    if (!server.listening) again = setTimeout(listen, AGAIN_MS)
  })

  function tell(now: string | undefined): void {
    if (now !== problem) report(now)
    problem = now
  }

  return {
    port,
    setOpen(isOpen) {
      clearTimeout(again)
      if (isOpen) {
        if (!server.listening) listen()
        return
      }
      server.close()
      server.closeAllConnections()
    },
    close: () =>
      new Promise((resolve) => {
        clearTimeout(again)
        if (!server.listening) {
          resolve()
          return
        }
        // A connection that was busy at first is idle, and kept alive by its caller, a moment later.
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY_MS)
        server.close(() => {
          clearInterval(sweep)
          resolve()
        })
      }),
  }
}
