// A PostgreSQL server of a test's own: the oldest that Surety supports or newer, from the system or from where deploy/setup.mjs
// put it, on loopback, on a directory that goes with it. PostgreSQL refuses to run as root, so then it runs as nobody.

import { spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { freePort } from '../../deploy/kafka/free-port.ts'

const CACHE = fileURLToPath(new URL('../../.cache/postgresql', import.meta.url))
const SETPRIV = '/usr/bin/setpriv'
const NOBODY = 65_534
const START_TIMEOUT_MS = 60_000
const PASSWORD = 'it’s & + % secret'

export interface PostgresServer {
  /** @returns the URL of a new, empty database */
  makeDatabase(): Promise<string>
  /** SIGKILL to every part, as a machine that fails; `start` brings it back. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** The folder of `postgres` and `initdb`. @throws Error that says what to install */
export function postgresBinaries(): string {
  for (const root of ['/usr/lib/postgresql', join(CACHE, 'usr/lib/postgresql')]) {
    if (!existsSync(root)) continue
    const newest = readdirSync(root)
      .filter((version) => existsSync(join(root, version, 'bin', 'postgres')))
      .toSorted((a, b) => Number(b) - Number(a))[0]
    if (newest !== undefined) return join(root, newest, 'bin')
  }
  throw new Error(
    'The contract tests of the registry need a PostgreSQL server: run `npm test` or `node deploy/setup.mjs test`, or apt-get install postgresql',
  )
}

export async function openPostgres(): Promise<PostgresServer> {
  const isRoot = process.getuid?.() === 0
  const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  const root = mkdtempSync(join(tmpdir(), 'surety-postgres-'))
  const binaries = readable(postgresBinaries(), isRoot ? root : undefined)
  const folder = join(root, 'data')
  const passwordFile = join(root, 'password')
  writeFileSync(passwordFile, PASSWORD)
  if (isRoot) for (const path of [root, passwordFile]) chownSync(path, NOBODY, NOBODY)
  const made = spawnSync(
    join(binaries, 'initdb'),
    [
      '-D',
      folder,
      '-U',
      'surety',
      '--pwfile',
      passwordFile,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ],
    { ...asNobody, cwd: root, encoding: 'utf8' },
  )
  if (made.status !== 0)
    throw new Error(
      `initdb could not make ${folder}: ${made.error?.message ?? ''}${made.stderr}${made.stdout}`,
    )
  const port = await freePort()
  const url = (database: string) =>
    `postgres://surety:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`
  let end: Promise<unknown> = Promise.resolve()
  let pid = 0
  const killWithTest = () => signal(pid, 'SIGQUIT')
  process.once('exit', killWithTest)

  async function start(): Promise<void> {
    const words = [
      join(binaries, 'postgres'),
      '-D',
      folder,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `port=${port}`,
    ]
    // A test's data need not outlive the machine.
    words.push('-c', `unix_socket_directories=${root}`, '-c', 'fsync=off', '-c', 'max_connections=60')
    // The kernel ends it when the test is killed without a word.
    const privileges = isRoot ? ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'] : []
    const [program = '', ...args] = existsSync(SETPRIV)
      ? [SETPRIV, ...privileges, '--pdeathsig', 'QUIT', ...words]
      : words
    const child = spawn(program, args, {
      ...(existsSync(SETPRIV) ? {} : asNobody),
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)))
    let isOver = false
    end = once(child, 'exit').then(() => (isOver = true))
    pid = child.pid ?? 0
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      const failure = await run(url('postgres'), 'SELECT 1').then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure === undefined) return
      if (isOver || Date.now() > deadline)
        throw new Error(`PostgreSQL on port ${port} did not start: ${log}`, { cause: failure })
      await sleep(50)
    }
  }

  await start()
  return {
    start,
    async makeDatabase() {
      const name = `surety_${crypto.randomUUID().slice(0, 8)}`
      await run(url('postgres'), `CREATE DATABASE ${name}`)
      return url(name)
    },
    async kill() {
      signal(pid, 'SIGQUIT')
      await end
    },
    async stop() {
      // Ends connections that are open, then itself.
      signal(pid, 'SIGINT')
      await end
      process.off('exit', killWithTest)
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** @param copyTo  nobody may not enter the project's folder: then a copy of what is unpacked there goes here */
function readable(binaries: string, copyTo: string | undefined): string {
  if (copyTo === undefined || !binaries.startsWith(CACHE)) return binaries
  const copy = join(copyTo, 'server')
  cpSync(CACHE, copy, { recursive: true })
  return binaries.replace(CACHE, copy)
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end().catch(() => undefined)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    if (pid > 0) process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}
