// One instance in its worker thread: starts tracing, opens the server, and obeys the bank until told to stop.
// States: starting → listening → draining → gone. Only the bank (../bank.ts) starts this file.

import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { buildRandom } from '../random.ts'
import { services } from '../services/services.ts'
import { openCaller } from './caller.ts'
import type { FromInstance, InstanceSeat, ToInstance } from './messages.ts'
import { openInstanceServer } from './server.ts'
import { startTelemetry } from './telemetry.ts'

const TALLY_EVERY_MS = 1_000

const bank = parentPort
if (bank === null) throw new Error('an instance runs in a worker thread of the demo bank')

const seat = workerData as InstanceSeat
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const say = (message: FromInstance): void => bank.postMessage(message)

const telemetry = startTelemetry(seat)
const random = buildRandom(seat.seed)
const caller = openCaller(seat.site, random)
const server = await openInstanceServer(services[seat.service], caller, random, (problem) =>
  say({ kind: 'port', problem }),
)

const tallies = setInterval(() => {
  const tally = server.takeTally()
  if (tally.requests > 0) say({ kind: 'tally', tally })
}, TALLY_EVERY_MS)

async function stop(): Promise<void> {
  clearInterval(tallies)
  await server.drain()
  caller.close()
  await telemetry.shutdown()
  // Nothing keeps the thread alive from here on.
  bank?.close()
}

bank.on('message', (message: ToInstance) => {
  switch (message.kind) {
    case 'routing':
      caller.route(message.routing)
      break
    case 'faults':
      server.injectFaults(message.faults)
      break
    case 'site':
      server.setDown(message.isDown)
      break
    case 'stop':
      void stop().catch(() => process.exit(1))
      break
  }
})

say({ kind: 'listening', port: server.port })
flushCompileCache()
