// The command line as a person meets it: a process, its words, its exit code. Starts and mistakes alike.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { makeEmptyData, openTestStore } from '../support/empty-data.ts'
import { spawnScript, spawnSurety, type SuretyProcess } from '../support/surety-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-command-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let directories = 0
const newDirectory = () => join(folder, String((directories += 1)))
/** As a first start leaves it: making it anew takes longer than all the rest of a start. */
async function startedDirectory(): Promise<string> {
  const dataDir = newDirectory()
  await makeEmptyData(dataDir)
  return dataDir
}

const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSurety(words, env).ended

/** The process ends with the test, however that goes. */
function owned(started: SuretyProcess): SuretyProcess {
  onTestFinished(async () => {
    started.kill('SIGTERM')
    await started.ended
  })
  return started
}

async function status(url: string): Promise<number> {
  const reply = await fetch(url)
  await reply.text()
  return reply.status
}

describe.concurrent('help', () => {
  test.each([
    { words: ['--help'], want: /serve +run Surety[\s\S]*demo [\s\S]*migrate [\s\S]*check-config / },
    { words: ['-h'], want: /«surety COMMAND --help» says more/ },
    { words: ['help'], want: /«surety COMMAND --help» says more/ },
    { words: ['serve', '--help'], want: /^surety serve \[--roles ingest,query,alerts\]/ },
    { words: ['serve', '-h'], want: /^surety serve / },
    { words: ['demo', '--help'], want: /^surety demo \[--no-history\]\n/ },
    { words: ['dead-letters', '--help'], want: /^surety dead-letters list / },
    { words: ['backup', '--help'], want: /^surety backup DIR\n/ },
    { words: ['restore', '--help'], want: /^surety restore DIR\n/ },
    { words: ['explain', '--help'], want: /^surety explain \[FAULT\]/ },
    { words: ['replay', '--help'], want: /^surety replay DIR/ },
    { words: ['validate', '--help'], want: /^surety validate -f DIR/ },
    { words: ['doctor', '--help'], want: /^surety doctor \[--json\]\n/ },
    { words: ['migrate', '--help'], want: /^surety migrate \[--print embedded\|server\|cluster\]\n/ },
    { words: ['check-config', '--help'], want: /^surety check-config \[--roles ingest,query,alerts\]/ },
  ])('surety $words', async ({ words, want }) => {
    const { code, stdout, stderr } = await run(words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(want)
  })
})

test('tables of release orders are found in a folder like everything else', async () => {
  const definitions = newDirectory()
  mkdirSync(join(definitions, 'orders'), { recursive: true })
  writeFileSync(
    join(definitions, 'orders', 'night.csv'),
    'order,from,to,service,version\npo-1,2026-11-20T22:00:00+08:00,2026-11-21T04:00:00+08:00,limit,2.0\n',
  )
  const good = await run(['validate', '-f', definitions])
  expect(good).toMatchObject({ code: 0, stderr: '' })
  writeFileSync(join(definitions, 'orders', 'night.csv'), 'service,version\nlimit,2.0\n')
  const bad = await run(['validate', '-f', definitions])
  expect(bad.code).toBe(1)
  expect(bad.stdout + bad.stderr).toContain('night.csv')
})

describe.concurrent('a mistake ends with 2, says what is wrong and starts nothing', () => {
  test.each([
    { name: 'no command', words: [], want: /surety COMMAND \[options\]/ },
    {
      name: 'a command that does not exist',
      words: ['start'],
      want: /^surety has no command «start»\.\n\n.*\n\nsurety COMMAND \[options\]/,
    },
    {
      name: 'an option that does not exist',
      words: ['serve', '--port', '80'],
      want: /Unknown option '--port'[\s\S]*surety serve \[--roles ingest,query,alerts\]/,
    },
    {
      name: 'a word too many',
      words: ['migrate', 'now'],
      want: /Unexpected argument 'now'[\s\S]*surety migrate/,
    },
    { name: '--roles without roles', words: ['serve', '--roles'], want: /--roles[\s\S]*surety serve/ },
    {
      name: 'a role that does not exist, twice',
      words: ['serve', '--roles', 'ingest,quary,store'],
      want: /«quary» is no role; there are ingest, query, alerts\n.*«store» is no role/,
    },
  ])('$name', async ({ words, want }) => {
    const dataDir = newDirectory()
    const { code, stdout, stderr } = await run(words, { SURETY_DATA_DIR: dataDir })
    expect(code).toBe(2)
    expect(stdout + stderr).toMatch(want)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(existsSync(dataDir)).toBe(false)
  })
})

describe('check-config', () => {
  test('names every wrong variable at once, with its value and what is right', async () => {
    const { code, stdout, stderr } = await run(['check-config'], {
      SURETY_HTTP_PORT: 'http',
      SURETY_HOST: '0.0.0.0',
      SURETY_LOG_LEVEL: 'loud',
      SURETY_LINGER_MS: '0',
      SURETY_PENDING_BYTES_MAX: '1000',
      SURETY_RETENTION_SPAN_DAYS: '7',
      CLICKHOUSE_URL: 'http://db:8123',
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const [head, ...problems] = stderr.trimEnd().split('\n')
    expect(head).toBe('Surety cannot start with this configuration:')
    expect(problems.map((line) => /^ {2}(\w+)/.exec(line)?.[1] ?? line).toSorted()).toEqual([
      'CLICKHOUSE_URL',
      'SURETY_HOST',
      'SURETY_HTTP_PORT',
      'SURETY_LINGER_MS',
      'SURETY_LOG_LEVEL',
      'SURETY_PENDING_BYTES_MAX',
      'SURETY_RETENTION_SPAN_DAYS',
    ])
    expect(stderr).toContain(
      'SURETY_RETENTION_SPAN_DAYS: no such variable; did you mean SURETY_RETENTION_SPANS_DAYS?',
    )
    expect(stderr).toContain('SURETY_HOST="0.0.0.0": must be a loopback address')
    expect(stderr).toContain(
      'SURETY_LOG_LEVEL="loud": must be one of fatal, error, warn, info, debug, trace, silent',
    )
  })

  test('serve refuses the same environment with the same words, and touches no directory', async () => {
    const env = { SURETY_DATA_DIR: newDirectory(), SURETY_LINGER_MS: '0', SURETY_HOST: 'bank.example' }
    const [checked, served] = await Promise.all([run(['check-config'], env), run(['serve'], env)])
    expect(served).toEqual(checked)
    expect(served.code).toBe(2)
    expect(existsSync(env.SURETY_DATA_DIR)).toBe(false)
  })

  test('says what will be used, and which of it is a default', async () => {
    const { code, stdout, stderr } = await run(['check-config'], {
      SURETY_RETENTION_SPANS_DAYS: '3',
      SURETY_LINGER_MS: '',
      KAFKA_BROKERS: 'a:9092, b:9092',
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toEqual(lines.toSorted())
    expect(lines).toContain('SURETY_RETENTION_SPANS_DAYS=3')
    expect(lines).toContain('SURETY_LINGER_MS=1000  (default)')
    expect(lines).toContain('SURETY_DATA_DIR=./data  (default)')
    expect(lines).toContain('KAFKA_BROKERS=a:9092,b:9092')
  })

  test('a return-code map that cannot be read is a mistake of the configuration', async () => {
    const { code, stderr } = await run(['check-config'], {
      SURETY_RETURN_CODE_MAP: join(folder, 'absent.json'),
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/SURETY_RETURN_CODE_MAP=.*absent\.json: cannot be read as JSON/)
  })
})

test('migrate brings an empty directory to the schema, and a second time finds nothing to do', async () => {
  const env = { SURETY_DATA_DIR: newDirectory() }
  const first = await run(['migrate'], env)
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(
    /^The store in .* took 0001_resources\.sql, 0002_spans\.sql, .*0017_dead_letter_replays\.sql/,
  )
  expect(await run(['migrate'], env)).toEqual({
    code: 0,
    stdout: `The store in ${env.SURETY_DATA_DIR} is up to date\nThe registry in ${env.SURETY_DATA_DIR} is up to date\n`,
    stderr: '',
  })
})

test('a store of a newer release is refused with a sentence: no stack, and nothing in it is touched', async () => {
  const dataDir = newDirectory()
  const store = await openTestStore(dataDir)
  await store.command(`INSERT INTO schema_migrations VALUES (99, '0099_to_come.sql', 'sum', now())`)
  await store.close()
  for (const words of [['serve'], ['migrate']]) {
    const { code, stdout, stderr } = await run(words, { SURETY_DATA_DIR: dataDir })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(
      /^The store has schema 99, this release knows \d+\. Start the newer release, or restore a backup/,
    )
    expect(stderr).not.toMatch(/^\s+at /m)
  }
})

describe('one role in a process', () => {
  test.each([
    {
      name: 'surety serve --roles ingest',
      script: 'deploy/surety.ts',
      words: ['serve', '--roles', 'ingest'],
      role: 'ingest',
    },
    {
      name: 'surety serve --roles query',
      script: 'deploy/surety.ts',
      words: ['serve', '--roles', 'query'],
      role: 'query',
      isFirstStart: true,
    },
    {
      name: 'surety serve --roles alerts',
      script: 'deploy/surety.ts',
      words: ['serve', '--roles', 'alerts'],
      role: 'alerts',
    },
    { name: 'node alerts/main.ts', script: 'alerts/main.ts', words: [], role: 'alerts' },
    { name: 'node ingest/main.ts', script: 'ingest/main.ts', words: [], role: 'ingest' },
    { name: 'node query/main.ts', script: 'query/main.ts', words: [], role: 'query' },
  ])(
    '$name is alive, ready, serves its own routes and ends with 0',
    async ({ script, words, role, isFirstStart = false }) => {
      const ofQuery = role === 'query' ? 200 : 404
      const dataDir = isFirstStart ? newDirectory() : await startedDirectory()
      const surety = owned(spawnScript(script, words, { SURETY_DATA_DIR: dataDir }))
      const { url } = await surety.ready()
      expect(await status(`${url}/healthz`)).toBe(200)
      expect(await status(`${url}/readyz`)).toBe(200)
      expect(await status(`${url}/metrics`)).toBe(200)
      expect(await status(`${url}/api/v1/services`)).toBe(ofQuery)
      expect(await status(`${url}/`)).toBe(ofQuery)
      const posted = await fetch(`${url}/api/v1/releases/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ specversion: '1.0', id: '1', source: '/ci', type: 't' }),
      })
      expect(posted.status).toBe(role === 'ingest' ? 201 : 404)
      surety.kill('SIGTERM')
      const { code, stderr } = await surety.ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    },
  )

  test('a query process answers for its own variables only, and still knows the names of others', async () => {
    const env = { SURETY_LINGER_MS: 'long', SURETY_DATA_DIR: newDirectory() }
    const [asQuery, asAll] = await Promise.all([
      run(['check-config', '--roles', 'query'], env),
      run(['check-config'], env),
    ])
    expect(asQuery.code).toBe(0)
    expect(asAll.code).toBe(2)
  })
})

describe('what another process has', () => {
  test.each([
    { variable: 'SURETY_HTTP_PORT', words: ['serve'] },
    { variable: 'SURETY_OTLP_HTTP_PORT', words: ['serve'] },
    { variable: 'SURETY_OTLP_GRPC_PORT', words: ['serve'] },
  ])(
    'the port in $variable: a sentence that names it, no stack, nothing left open',
    async ({ variable, words }) => {
      const holder = createServer()
      await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void holder.close())
      const { port } = holder.address() as AddressInfo
      const dataDir = await startedDirectory()
      const { code, stdout, stderr } = await run(words, {
        SURETY_DATA_DIR: dataDir,
        [variable]: String(port),
      })
      expect(code).toBeGreaterThan(0)
      expect(stdout).toBe('')
      expect(stderr).toMatch(
        new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}\\. Another program has the port.*${variable}`),
      )
      expect(stderr).not.toMatch(/^\s+at /m)
      expect(existsSync(join(dataDir, 'surety.pid'))).toBe(false)
    },
  )

  test('the data directory: serve and migrate say who holds it and what to set', async () => {
    const env = { SURETY_DATA_DIR: await startedDirectory() }
    const holder = owned(spawnSurety(['serve', '--roles', 'query'], env))
    await holder.ready()
    for (const words of [['serve'], ['migrate']]) {
      const { code, stderr } = await run(words, env)
      expect(code).toBe(2)
      expect(stderr).toMatch(new RegExp(`is in use by process ${holder.pid}\\. .*SURETY_DATA_DIR`))
      expect(stderr).not.toMatch(/^\s+at /m)
    }
  })
})

test('a second signal ends the process at once', async () => {
  const surety = owned(spawnSurety(['serve'], { SURETY_DATA_DIR: await startedDirectory() }))
  await surety.ready()
  surety.kill('SIGINT')
  surety.kill('SIGINT')
  expect([0, 130]).toContain((await surety.ended).code)
})

describe.concurrent('validate', () => {
  test('the examples can be applied, from a folder', async () => {
    const { code, stdout } = await run(['validate', 'deploy/slos', '--strict'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+ objects in 6 files: nothing is wrong\.\n$/),
    })
  })

  test('what is wrong is named with file, line and place, all of it, and ends with 1', async () => {
    const directory = newDirectory()
    mkdirSync(directory)
    const example = readFileSync('deploy/slos/calendar-month.yaml', 'utf8')
    const file = join(directory, 'month.yaml')
    writeFileSync(
      file,
      example.replace('0.999', '1').replace('service: mobile-bff\n', 'servize: mobile-bff\n'),
    )
    const { code, stderr } = await run(['validate', directory])
    expect(code).toBe(1)
    expect(stderr.replaceAll(file, 'month.yaml')).toMatch(
      /^month\.yaml:\d+ spec\.servize: «servize» is no field that is known here/m,
    )
    expect(stderr).toMatch(/spec\.service: is required/)
    expect(stderr).toMatch(/\d+ errors in 1 file\.\n$/)
  })

  test('no path, or one that is not there, is said', async () => {
    expect((await run(['validate'])).stderr).toMatch(/Name a file or a folder: -f DIR/)
    expect((await run(['validate', 'nowhere'])).stderr).toMatch(/There is no file or folder nowhere/)
  })
})
