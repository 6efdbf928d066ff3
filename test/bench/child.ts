// A measured process: started, awaited until it says that it is ready, stopped by its process id.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { BenchFailure } from './bench-definition.ts'

const SETPRIV = '/usr/bin/setpriv'
const HEAP_MB_MAX = 2048
const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
const LINES_KEPT = 20

export type ChildOptions = {
  /** What messages call it. */
  readonly name: string
  /** Undefined: the Node that runs the bench, and `args` begin with a TypeScript file. */
  readonly program?: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The line of its output that says that it is ready. */
  readonly ready: RegExp
}

export interface Child {
  readonly pid: number
  readonly ready: RegExpExecArray
  /** Rejects when the process ends without being stopped; never resolves. */
  readonly ended: Promise<never>
  /** SIGTERM, and SIGKILL when it takes longer than 30 s. */
  stop(): Promise<void>
}

/** @throws BenchFailure with the last lines that the process wrote, when it ends or is not ready in time */
export async function openChild({ name, program, args, env, ready }: ChildOptions): Promise<Child> {
  const own =
    program === undefined
      ? [process.execPath, `--max-old-space-size=${HEAP_MB_MAX}`, ...args]
      : [program, ...args]
  // On Linux the kernel ends the child when this process is killed without a word.
  const [command = '', ...words] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', ...own] : own
  const child = spawn(command, words, {
    // A group of its own: Ctrl-C reaches the bench alone, which then stops its children in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  const killWithParent = () => void child.kill('SIGKILL')
  process.once('exit', killWithParent)

  const tail: string[] = []
  const keep = (line: string) => {
    tail.push(line)
    if (tail.length > LINES_KEPT) tail.shift()
  }
  const isReady = Promise.withResolvers<RegExpExecArray>()
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => {
      keep(line)
      const found = ready.exec(line)
      if (found !== null) isReady.resolve(found)
    })

  let isStopping = false
  const exited = Promise.withResolvers<void>()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const failure = (what: string) =>
    new BenchFailure(`${name} ${what}. Its last lines:\n  ${tail.join('\n  ') || '(it said nothing)'}`)
  child.once('error', (error) => failed.reject(failure(`could not be started (${error.message})`)))
  child.once('close', (code, signal) => {
    process.off('exit', killWithParent)
    exited.resolve()
    if (!isStopping) failed.reject(failure(`ended by itself (${signal ?? `exit code ${code}`})`))
  })

  async function stop(): Promise<void> {
    isStopping = true
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited.promise
    clearTimeout(timer)
  }

  const late = setTimeout(
    () => failed.reject(failure(`was not ready within ${READY_TIMEOUT_MS / 1000} s`)),
    READY_TIMEOUT_MS,
  )
  try {
    const found = await Promise.race([isReady.promise, failed.promise])
    const { pid } = child
    if (pid === undefined) throw failure('has no process')
    return { pid, ready: found, ended: failed.promise, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(late)
  }
}
