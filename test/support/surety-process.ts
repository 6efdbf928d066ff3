// Surety as a process of its own, for what only a process can show: signals, exit codes, who holds a directory.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { COMPILED } from './compiled.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODE = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url))
const READY_TIMEOUT_MS = 120_000

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type Addresses = { readonly url: string; readonly otlpHttpUrl: string; readonly otlpGrpcUrl: string }

export type SuretyProcess = {
  readonly pid: number
  /** Resolves when the process is gone and its output is read. */
  readonly ended: Promise<Ended>
  /** The addresses it says it is ready at. @throws Error with its output when it ends instead */
  ready(): Promise<Addresses>
  /** What it has printed so far. */
  output(): string
  kill(signal?: NodeJS.Signals): void
}

/**
 * @param script  relative to the repository: `deploy/surety.ts`, `ingest/main.ts`
 * @param env     all that the process sees of Surety's environment; ports are of the system's choice unless given
 */
export function spawnScript(
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SuretyProcess {
  const child = spawn(NODE, ['--disable-warning=ExperimentalWarning', script, ...words], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: COMPILED,
      UV_THREADPOOL_SIZE: '16',
      SURETY_HTTP_PORT: '0',
      SURETY_OTLP_HTTP_PORT: '0',
      SURETY_OTLP_GRPC_PORT: '0',
      SURETY_LOG_LEVEL: 'error',
      ...(mayHaveVisitors(script, words, env) ? { SURETY_VISITORS: 'viewer' } : {}),
      ...env,
    },
  })
  // A test that fails must not leave its process behind.
  const killWithTest = () => void child.kill('SIGKILL')
  process.once('exit', killWithTest)
  let stdout = ''
  let stderr = ''
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', killWithTest)
      resolve({ code, stdout, stderr })
    })
  })
  const isReady = new Promise<Addresses>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      const match =
        /^Surety is ready: (\S+)(?: \(OTLP\/HTTP: (\S+)\/v1\/traces, OTLP\/gRPC: (\S+)\))?\n/m.exec(stdout)
      if (match !== null)
        resolve({ url: match[1] ?? '', otlpHttpUrl: match[2] ?? '', otlpGrpcUrl: match[3] ?? '' })
    })
  })
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return {
    pid: child.pid ?? 0,
    ended,
    async ready() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), READY_TIMEOUT_MS)
      })
      const outcome = await Promise.race([isReady, ended, late])
      clearTimeout(timer)
      if (outcome !== 'late' && 'url' in outcome) return outcome
      child.kill('SIGKILL')
      const how = outcome === 'late' ? `took over ${READY_TIMEOUT_MS} ms` : `ended with ${outcome.code}`
      throw new Error(`${script} ${words.join(' ')} was to be ready and ${how}:\n${stdout}${stderr}`)
    },
    output: () => stdout,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
  }
}

/** Tests read without signing in, unless they are about who may. */
function mayHaveVisitors(
  script: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): boolean {
  const isServing = words[0] === 'serve' || script === 'query/main.ts'
  return isServing && env['SURETY_TOKENS_REQUIRED'] === undefined && env['SURETY_HOST'] === undefined
}

/** The command line, `surety WORDS`. */
export const spawnSurety = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnScript('deploy/surety.ts', words, env)
