// The bank's side of one instance: starts the worker thread, knows its port, speaks to it and ends it.
//
// Why threads: measured on two cores with the SDK loaded, sixteen processes start as fast as sixteen threads (1.9 s)
// and need as much memory of their own (PSS 0.63 GB against 0.60 GB), but each is one more program to watch and to
// end, and together they show 1.4 GB. README.md has the figures of the whole bank.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Fault, InstanceKey } from '../faults.ts'
import type { Routing } from '../routing.ts'
import type { FromInstance, InstanceSeat, Tally, ToInstance } from './messages.ts'

/** A thread that is not listening by then has failed. Generous: a cold cache on a busy machine takes seconds. */
const START_TIMEOUT_MS = 30_000
/** Answering what has arrived and sending the last spans; then the thread is ended whatever it does. */
const STOP_TIMEOUT_MS = 2_500
/** Spans leave every 0.8 s: a newcomer sees what was just clicked, and sixteen instances send 20 batches a second. */
const SPAN_DELAY_MS = 800

/** Types are stripped and code is compiled once for all threads and starts; see the effect in README.md. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../.cache/demo-bank', import.meta.url))

export interface Instance extends InstanceKey {
  readonly port: number
  route(routing: Routing): void
  injectFaults(faults: readonly Fault[]): void
  setDown(isDown: boolean): void
  /** Drains and ends the thread; resolves when it is gone. */
  stop(): Promise<void>
}

export type InstanceListener = {
  onTally(tally: Tally): void
  /** Its port cannot be used, and why; it tries on. Undefined when it can be again. */
  onPort(problem: string | undefined): void
  /** The thread ended although nobody asked it to. */
  onCrash(error: Error): void
}

/** @throws Error when the thread ends or stays silent before it listens */
export async function openInstance(seat: InstanceSeat, listener: InstanceListener): Promise<Instance> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: `${seat.service}@${seat.version}/${seat.site}`,
    workerData: seat,
    // The SDK reads its own variables; nothing else of the environment reaches the services.
    env: {
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      OTEL_BSP_SCHEDULE_DELAY: String(SPAN_DELAY_MS),
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
    },
    // Small requests leave little garbage: a 4 MB nursery saves 5 MB a thread against the default.
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 },
  })
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const say = (message: ToInstance): void => worker.postMessage(message)

  const port = await listening(worker, seat)
  let stopping: Promise<void> | undefined
  let failed: Error | undefined
  worker.on('message', (message: FromInstance) => {
    if (message.kind === 'tally') listener.onTally(message.tally)
    if (message.kind === 'port') listener.onPort(message.problem)
  })
  worker.on('error', (error: Error) => {
    failed = error
  })
  worker.once('exit', (code) => {
    if (stopping === undefined) listener.onCrash(failed ?? new Error(`the thread ended with code ${code}`))
  })

  async function end(): Promise<void> {
    say({ kind: 'stop' })
    const overrun = new AbortController()
    const late = sleep(STOP_TIMEOUT_MS, undefined, { signal: overrun.signal }).then(
      () => worker.terminate().then(() => undefined),
      () => undefined,
    )
    await Promise.race([gone, late])
    overrun.abort()
  }

  return {
    service: seat.service,
    version: seat.version,
    site: seat.site,
    port,
    route: (routing) => say({ kind: 'routing', routing }),
    injectFaults: (faults) => say({ kind: 'faults', faults }),
    setDown: (isDown) => say({ kind: 'site', isDown }),
    stop: () => (stopping ??= end()),
  }
}

function listening(worker: Worker, seat: InstanceSeat): Promise<number> {
  const name = `${seat.service} ${seat.version} in ${seat.site}`
  return new Promise<number>((resolve, reject) => {
    const giveUp = setTimeout(() => {
      void worker.terminate()
      reject(new Error(`${name} was not listening after ${START_TIMEOUT_MS} ms`))
    }, START_TIMEOUT_MS)
    const settle = (act: () => void): void => {
      clearTimeout(giveUp)
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
      act()
    }
    const onMessage = (message: FromInstance): void => {
      if (message.kind === 'listening') settle(() => resolve(message.port))
    }
    const onError = (error: Error): void =>
      settle(() => reject(new Error(`${name} failed to start`, { cause: error })))
    const onExit = (code: number): void => settle(() => reject(new Error(`${name} ended with code ${code}`)))
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
  })
}
