// A ClickHouse server's HTTP interface over the embedded engine, because no current server can be installed as a package:
// statement in the URL and data in the body, users, databases, settings of a request, error numbers, and what servers do
// when they go wrong. A stand-in for cluster tests, too: what needs Keeper is left out of the DDL, Distributed tables work.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { freePort } from '../../deploy/kafka/free-port.ts'

/** What goes wrong with the next request whose statement matches; each is used once. */
export type Fault = {
  readonly on: RegExp
  readonly does:
    /** The connection ends, before or after the statement ran. */
    | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
    /** What a server (code) or a proxy before it (no code) answers. */
    | { readonly kind: 'answer'; readonly status: number; readonly code?: number; readonly text: string }
}

export type FrontOptions = {
  readonly user?: string
  readonly password?: string
  /** What the server says it is. */
  readonly version?: string
  /** Name of a cluster of one shard with one replica. */
  readonly cluster?: string
  /** Macros of the cluster's host. */
  readonly macros?: readonly string[]
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Where its data are, and stay when it is closed; without it they go with it. */
  readonly dataDir?: string
}

export type Request = {
  readonly sql: string
  readonly url: string
  /** Settings of the request, without what is no setting. */
  readonly settings: Readonly<Record<string, string>>
  readonly bodyBytes: number
}

export interface ClickHouseFront {
  readonly url: string
  readonly requests: readonly Request[]
  fault(fault: Fault): void
  /** The server goes away; its port refuses connections. */
  stop(): Promise<void>
  /** It comes back on the same port. */
  start(): Promise<void>
  /** As `kill -9` of the server would leave its connections. */
  close(): Promise<void>
}

const CONTROL = new Set(['query', 'database', 'default_format', 'wait_end_of_query', 'max_query_size'])
/** Settings that stand for what one engine has not. */
const FOREIGN = new Set(['insert_quorum', 'cancel_http_readonly_queries_on_client_close'])
const PLACES = 8
// As ClickHouse has them: http_max_uri_size and http_max_field_value_size.
const URI_BYTES_MAX = 1_048_576
const FIELD_BYTES_MAX = 131_072
const OWN_PORT = 9000

export async function openClickHouseFront(options: FrontOptions = {}): Promise<ClickHouseFront> {
  const { user = 'default', password = '', cluster, macros = ['shard', 'replica'] } = options
  const folder = mkdtempSync(join(tmpdir(), 'clickhouse-front-'))
  mkdirSync(join(folder, 'schemas'))
  const shard = cluster === undefined ? '' : `--remote_servers.${cluster}.shard[0]`
  const connectionArgs = [
    '--logger.level=none',
    '--max_query_size=8388608',
    ...(cluster === undefined
      ? []
      : [
          // The engine knows the cluster's only host as itself by its port, which it never opens.
          `--tcp_port=${OWN_PORT}`,
          `${shard}.internal_replication=true`,
          `${shard}.replica.host=127.0.0.1`,
          `${shard}.replica.port=${OWN_PORT}`,
        ]),
  ]
  const { dataDir = join(folder, 'data') } = options
  const idle = Array.from({ length: PLACES }, () => new Session(dataDir, { connectionArgs }))
  const all = [...idle]
  const waiting: ((session: Session) => void)[] = []
  const faults: Fault[] = []
  const requests: Request[] = []
  const sockets = new Set<Socket>()
  let sequence = 0

  async function run(sql: string, database: string): Promise<string> {
    const session = idle.pop() ?? (await new Promise<Session>((resolve) => waiting.push(resolve)))
    try {
      await session.queryAsync(`USE ${database}`)
      return (await session.queryAsync(sql, { format: 'JSONEachRow' })).text()
    } finally {
      const next = waiting.shift()
      if (next === undefined) idle.push(session)
      else next(session)
    }
  }

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://front')
    if (url.search.split('&').some((field) => field.length > FIELD_BYTES_MAX)) {
      return refuse(reply, {
        status: 500,
        code: 1000,
        text: 'Poco::Exception. Code: 1000, HTML Form Exception: Field value too long',
      })
    }
    if (request.method === 'GET' && url.pathname === '/ping') return void reply.end('Ok.\n')
    const body = await read(request)
    const inUrl = url.searchParams.get('query')
    const sql = inUrl ?? body.toString('utf8')
    const settings = Object.fromEntries([...url.searchParams].filter(([name]) => !CONTROL.has(name)))
    requests.push({ sql, url: request.url ?? '', settings, bodyBytes: inUrl === null ? 0 : body.length })
    const index = faults.findIndex(({ on }) => on.test(sql))
    const [fault] = index < 0 ? [] : faults.splice(index, 1)
    if (fault?.does.kind === 'answer') return refuse(reply, fault.does)
    if (fault?.does.when === 'before') return void request.socket.resetAndDestroy()
    const [, credentials = ''] = (request.headers.authorization ?? '').split(' ')
    if (Buffer.from(credentials, 'base64').toString('utf8') !== `${user}:${password}`) {
      const text = `Code: 516. DB::Exception: ${user}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`
      return refuse(reply, { status: 403, code: 516, text })
    }
    try {
      const file = join(folder, `${(sequence += 1)}.bin`)
      if (inUrl !== null) await writeFile(file, body)
      const statement = embedded(sql, settings, inUrl === null ? undefined : file)
      const text = await run(statement, url.searchParams.get('database') ?? 'default')
      rmSync(file, { force: true })
      if (fault !== undefined) return void request.socket.resetAndDestroy()
      reply.setHeader('X-ClickHouse-Format', 'JSONEachRow')
      reply.end(text)
    } catch (error) {
      const code = Number((error as { clickhouseCode?: unknown }).clickhouseCode) || 1002
      refuse(reply, { status: statusOf(code), code, text: (error as Error).message })
    }
  }

  /** What the embedded engine runs for what a server would. */
  function embedded(
    sql: string,
    settings: Readonly<Record<string, string>>,
    file: string | undefined,
  ): string {
    let text = sql
    // A server keeps the schema in a folder of its own; this engine would do so in ours.
    text = text.replace(
      /format_schema_source='string', format_schema='((?:[^'\\]|\\.)*)'/,
      (_, schema: string) => {
        const path = join(
          folder,
          'schemas',
          `${createHash('sha256').update(schema).digest('hex').slice(0, 16)}.proto`,
        )
        writeFileSync(path, schema.replaceAll(/\\(.)/g, '$1'))
        return `format_schema_source='file', format_schema='${path}'`
      },
    )
    if (options.version !== undefined) text = text.replaceAll('version()', `'${options.version}'`)
    if (file !== undefined) {
      const [, format = ''] = /\nFORMAT (\w+)$/.exec(text) ?? []
      text = text
        .replace(/\nFORMAT \w+$/, '')
        .replaceAll(
          /\binput\(('(?:[^'\\]|\\.)*')\)/g,
          (_, structure: string) => `file('${file}', '${format}', ${structure})`,
        )
    }
    if (cluster !== undefined) {
      const known = `(SELECT arrayJoin([${macros.map((macro) => `'${macro}'`).join(', ')}]) AS macro)`
      text = withoutKeeper(text).replace('system.macros', known)
    }
    const given = Object.entries(settings).filter(([name]) => !FOREIGN.has(name))
    if (!/^(?:SELECT|WITH|INSERT)\b/.test(text) || given.length === 0 || /\bVALUES\s*\(/.test(text))
      return text
    const list = given.map(([name, value]) => `${name}='${value}'`).join(', ')
    // What stands in the statement wins, as on a server: it comes later.
    const own = /\sSETTINGS (?=(?:async_insert|max_execution_time|insert_deduplication_token)\b)/.exec(text)
    if (own === null) return `${text}\nSETTINGS ${list}`
    const at = own.index + own[0].length
    return `${text.slice(0, at)}${list}, ${text.slice(at)}`
  }

  const server =
    options.tls === undefined
      ? createServer({ keepAliveTimeout: 3000, maxHeaderSize: URI_BYTES_MAX })
      : createTlsServer({ ...options.tls, keepAliveTimeout: 3000, maxHeaderSize: URI_BYTES_MAX })
  server.on('request', (request: IncomingMessage, reply: ServerResponse) => {
    // A sender that went away in the middle of its body: the server stores nothing of it.
    answer(request, reply).catch(() => request.socket.destroy())
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await freePort()
  const start = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  await start()
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    fault: (fault) => void faults.push(fault),
    start,
    stop,
    async close() {
      await stop()
      while (idle.length < all.length) await new Promise((resolve) => setTimeout(resolve, 10))
      for (const session of all) session.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Replicated tables need Keeper, and so does ON CLUSTER: what is left is what one host of the cluster makes of it. */
export function withoutKeeper(sql: string): string {
  return sql
    .replace(/ ON CLUSTER '[^']*'/, '')
    .replace(
      /\bENGINE = Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, ((?:[^()]|\([^()]*\))*))?\)/,
      (_, engine: string, given?: string) => `ENGINE = ${engine}${given === undefined ? '' : `(${given})`}`,
    )
    .replace(
      /\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/,
      'non_replicated_deduplication_window = $1',
    )
    .replace(/^SYSTEM SYNC REPLICA .*/, 'SELECT 1 WHERE 0')
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function refuse(
  reply: ServerResponse,
  { status, code, text }: { status: number; code?: number; text: string },
): void {
  if (code !== undefined) reply.setHeader('X-ClickHouse-Exception-Code', code)
  reply.statusCode = status
  reply.end(text)
}

// As ClickHouse src/Server/HTTP/exceptionCodeToHTTPStatus.cpp (Apache-2.0) has them, those that tests meet.
function statusOf(code: number): number {
  if (code === 60 || code === 81) return 404
  if ([6, 26, 27, 32, 33, 62, 47, 53, 72, 117].includes(code)) return 400
  return 500
}
