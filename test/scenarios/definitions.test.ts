// A site that keeps definitions in files: migrate on a PostgreSQL server, two Suretys on it, files applied by command, a colleague
// between, backup and restore of an embedded registry.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPostgres, type PostgresServer } from '../support/postgres.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'

const root = mkdtempSync(join(tmpdir(), 'surety-definitions-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const place = (name: string) => join(root, name)

const TEAM = (name: string) => `apiVersion: surety/v1\nkind: Team\nmetadata: { name: ${name} }\n`
const SYSTEM = (tier: string) => `# 核心支付
apiVersion: surety/v1
kind: System
metadata:
  name: core-payment
  displayName: 核心支付
spec: { team: payments, tier: ${tier}, type: core, origin: in-house }
`

describe('on a PostgreSQL server', () => {
  let postgres: PostgresServer
  let env: Record<string, string>
  const running: SuretyProcess[] = []
  let urls: string[] = []
  let firstLine = ''
  const files = place('files')
  const run = (words: readonly string[], at = 0) =>
    spawnSurety(words, { ...env, SURETY_DATA_DIR: place(`data-${at}`), SURETY_URL: urls[at] ?? '' }).ended

  beforeAll(async () => {
    postgres = await openPostgres()
    const url = new URL(await postgres.makeDatabase())
    writeFileSync(place('password'), `${decodeURIComponent(url.password)}\n`)
    url.password = ''
    env = { SURETY_DATABASE_URL: url.href, SURETY_DATABASE_PASSWORD_FILE: place('password') }
    mkdirSync(join(files, 'teams'), { recursive: true })
    writeFileSync(join(files, 'teams', 'payments.yaml'), TEAM('payments'))
    writeFileSync(join(files, 'systems.yml'), SYSTEM('critical'))
    writeFileSync(join(files, 'notes.txt'), 'not a document')
  })
  afterAll(async () => {
    for (const one of running) one.kill('SIGTERM')
    await Promise.all(running.map(({ ended }) => ended))
    await postgres.stop()
  })

  test('serve refuses a registry that was not migrated, migrate makes it, and then serve starts', async () => {
    const before = await spawnSurety(['serve', '--roles', 'query'], {
      ...env,
      SURETY_DATA_DIR: place('data-0'),
    }).ended
    expect(before.code).toBe(2)
    expect(before.stderr).toMatch(/The registry lacks 0001_objects\.sql\. Run «surety migrate» once/)
    const migrated = await spawnSurety(['migrate'], { ...env, SURETY_DATA_DIR: place('data-0') }).ended
    expect(migrated.code).toBe(0)
    expect(migrated.stdout).toMatch(
      /The registry in SURETY_DATABASE_URL took 0001_objects\.sql, 0002_audit\.sql/,
    )
    for (const n of [0, 1])
      running.push(
        spawnSurety(['serve', '--roles', 'query'], { ...env, SURETY_DATA_DIR: place(`data-${n}`) }),
      )
    urls = (await Promise.all(running.map((one) => one.ready()))).map(({ url }) => url)
    const text = running.map((one) => one.output())
    const told = text.filter((one) => one.includes('First start: sign in as «admin»'))
    // Of two that start at once one tells the password.
    expect(told).toHaveLength(1)
    firstLine = told[0] ?? ''
  })

  test('the password that was told is good for one sign-in, at either of them', async () => {
    const password = /one-time password (\S+)/.exec(firstLine)?.[1]
    const reply = await fetch(`${urls[1]}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'admin', password }),
    })
    expect(await reply.json()).toMatchObject({ name: 'admin', mustChangePassword: true })
  })

  test('validate says what is wrong without asking anybody', async () => {
    writeFileSync(place('wrong.yaml'), SYSTEM('gold').replace('spec:', 'sepc: {}\nspec:'))
    const { code, stderr } = await spawnSurety(['validate', '-f', place('wrong.yaml')]).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/wrong\.yaml:7 sepc: unknown field «sepc»/)
    expect(stderr).toMatch(/wrong\.yaml:8 spec\.tier: must be one of critical, general, office/)
    expect(stderr).toMatch(/2 errors in 1 file/)
    const good = await spawnSurety(['validate', '-f', files]).ended
    expect(good).toMatchObject({ code: 0, stdout: '2 objects in 2 files: nothing is wrong.\n' })
    expect((await spawnSurety(['validate', '-f', place('nothing')]).ended).stderr).toMatch(/There is no file/)
  })

  test('apply shows and makes what the files say, once; the other Surety sees it at once', async () => {
    const dry = await run(['apply', '-f', files, '--dry-run'])
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toBe(
      'create system core-payment\ncreate team payments\nDry run: 2 changes, 0 as before.\n',
    )
    const done = await run(['apply', '-f', files, '--reason', 'CHG-1 首次'])
    expect(done.stdout).toMatch(/Applied: 2 changes, 0 as before\.\n$/)
    expect((await run(['apply', '-f', files], 1)).stdout).toBe('Applied: 0 changes, 2 as before.\n')
  })

  test('a change is shown with its places; what is wrong changes nothing and is told by file and line', async () => {
    writeFileSync(join(files, 'systems.yml'), SYSTEM('general'))
    const changed = await run(['apply', '-f', files])
    expect(changed.stdout).toBe(
      'update system core-payment\n    spec.tier: "critical" → "general"\nApplied: 1 change, 1 as before.\n',
    )
    writeFileSync(join(files, 'broken.yaml'), TEAM('new-team').replace('Team', 'Taem'))
    const broken = await run(['apply', '-f', files])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(/broken\.yaml:2 kind: is «Taem»; there are .*Team.*\n.*nothing was changed/)
    rmSync(join(files, 'broken.yaml'))
  })

  test('prune deletes with consent, and only what came from these files', async () => {
    writeFileSync(join(files, 'extra.yaml'), TEAM('extra'))
    await run(['apply', '-f', files])
    const elsewhere = place('elsewhere.yaml')
    writeFileSync(elsewhere, TEAM('elsewhere'))
    await run(['apply', '-f', elsewhere, '--bundle', 'other'])
    rmSync(join(files, 'extra.yaml'))
    const asked = await run(['apply', '-f', files, '--prune'])
    expect(asked.code).toBe(1)
    expect(asked.stdout).toMatch(/^delete team extra\n/)
    expect(asked.stderr).toMatch(/would delete 1 object; add --yes to agree\. Nothing was changed/)
    const agreed = await run(['apply', '-f', files, '--prune', '--yes'])
    expect(agreed.stdout).toMatch(/Applied: 1 change\.\n$/)
    const { stdout } = await run(['export', '--kinds', 'team'])
    expect(stdout).toContain('name: elsewhere')
    expect(stdout).not.toContain('name: extra')
  })

  test('what is exported is what was applied', async () => {
    const out = place('exported')
    expect((await run(['export', '-o', out])).code).toBe(0)
    expect(readdirSync(out).toSorted()).toEqual(['system', 'team', 'user'])
    expect(readFileSync(join(out, 'system', 'core-payment.yaml'), 'utf8')).toContain('displayName: 核心支付')
    const again = await run(['apply', '-f', out, '--dry-run', '--bundle', 'default'])
    // Users and the other team came from elsewhere: they would be taken over, and nothing else changes.
    expect(
      again.stdout.split('\n').filter((line) => /^ {4}/.test(line) && !/^ {4}bundle:/.test(line)),
    ).toEqual([])
    expect((await run(['export', '-o', out])).stderr).toMatch(/is not empty/)
  })

  test('a lost password is replaced by whoever has the data directory', async () => {
    const { code, stdout } = await run(['user', 'password', 'admin', '--reason', 'lost'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[a-z2-9-]{23}\n$/)
    const stranger = await spawnSurety(['user', 'password', 'admin'], {
      SURETY_DATA_DIR: place('empty'),
      SURETY_URL: urls[0] ?? '',
    }).ended
    expect(stranger.code).toBe(1)
    expect(stranger.stderr).toContain('SURETY_NOT_SIGNED_IN')
  })

  test('while the server is away the answer is 503 and readiness says why; then it goes on', async () => {
    const token = readFileSync(join(place('data-0'), 'local-token'), 'utf8').trim()
    const get = (path: string) => fetch(urls[0] + path, { headers: { authorization: `Bearer ${token}` } })
    await postgres.kill()
    const away = await get('/api/v1/registry/teams')
    expect(away.status).toBe(503)
    expect(await away.json()).toMatchObject({ code: 'SURETY_REGISTRY_UNAVAILABLE' })
    expect(await (await get('/readyz')).json()).toMatchObject({ ready: false })
    // Reading facts as a visitor needs no registry.
    expect((await fetch(`${urls[0]}/api/v1/ingest/status`)).status).toBe(200)
    await postgres.start()
    expect((await get('/api/v1/registry/teams')).status).toBe(200)
  })
})

describe('embedded', () => {
  let surety: TestSurety | undefined
  afterAll(() => surety?.stop())

  test('a backup that is taken while definitions change is put back as one moment', async () => {
    surety = await startSurety({ SURETY_DATA_DIR: place('embedded') })
    const { url, asLocal } = surety
    let written = 0
    const done = new AbortController()
    const writing = (async () => {
      while (!done.signal.aborted) {
        const reply = await fetch(`${url}/api/v1/registry/teams/t${written}`, {
          method: 'PUT',
          headers: { ...asLocal, 'content-type': 'application/json', 'if-none-match': '*' },
          body: '{"spec":{}}',
        })
        expect(reply.status).toBe(201)
        written += 1
      }
    })()
    const backup = place('backup')
    const env = { SURETY_DATA_DIR: place('embedded'), SURETY_URL: url }
    expect(await spawnSurety(['backup', backup], env).ended).toMatchObject({ code: 0 })
    done.abort()
    await writing
    await surety.stop()
    expect(written).toBeGreaterThan(1)
    expect(existsSync(join(backup, 'files', 'local-token'))).toBe(false)

    const restored = { SURETY_DATA_DIR: place('restored') }
    expect(await spawnSurety(['restore', backup], restored).ended).toMatchObject({ code: 0 })
    surety = await startSurety(restored)
    const reply = await fetch(`${surety.url}/api/v1/registry/teams?limit=1000`)
    const { items } = (await reply.json()) as { items: { name: string }[] }
    // Names without a gap: whatever came after the moment is missing, and nothing before it.
    expect(items.map(({ name }) => Number(name.slice(1))).toSorted((a, b) => a - b)).toEqual(
      items.map((_, n) => n),
    )
    const audit = await fetch(`${surety.url}/api/v1/audit?kind=team&limit=1000`, { headers: surety.asLocal })
    expect(((await audit.json()) as { items: unknown[] }).items).toHaveLength(items.length)
    expect(surety.query?.firstAdmin).toBeUndefined()
  })
})
