// Definitions and people over HTTP: versions, pages, files, sessions, and what hostile callers get.

import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSurety, type TestSurety } from '../support/surety.ts'

type Answer = { readonly status: number; readonly headers: Headers; readonly json: Record<string, unknown> }
type Given = {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

let surety: TestSurety
let first = { name: '', password: '' }

beforeAll(async () => {
  surety = await startSurety({ SURETY_VISITORS: 'none' })
  first = surety.query?.firstAdmin ?? first
})
afterAll(() => surety.stop())

async function call(method: string, path: string, { body, headers = {} }: Given = {}): Promise<Answer> {
  const reply = await fetch(`${surety.url}/api/v1${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, json: text === '' ? {} : JSON.parse(text) }
}
/** As whoever has the data directory. */
const admin = (method: string, path: string, given: Given = {}) =>
  call(method, path, { ...given, headers: { ...surety.asLocal, ...given.headers } })
const MAKE = { 'if-none-match': '*' }
const at = (revision: number) => ({ 'if-match': `"${revision}"` })
const CORE = { team: 'pay', tier: 'critical', type: 'core', origin: 'in-house' }

/** As a browser: the session's cookie, and where the page is from. */
async function browser(user: string, password: string) {
  const signed = await call('POST', '/session', { body: { user, password } })
  const cookie = (signed.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  return {
    signed,
    call: (method: string, path: string, given: Given = {}) =>
      call(method, path, { ...given, headers: { cookie, origin: surety.url, ...given.headers } }),
    cookie,
  }
}
async function makeUser(name: string, spec: object): Promise<string> {
  const made = await admin('PUT', `/registry/users/${name}`, { body: { spec }, headers: MAKE })
  expect(made.status).toBe(201)
  const { json } = await admin('POST', `/registry/users/${name}/password`)
  const once = String(json['password'])
  const { call: as } = await browser(name, once)
  const next = `${name} rides a blue bicycle`.replaceAll(name, 'who')
  expect((await as('PUT', '/session/password', { body: { current: once, next } })).status).toBe(204)
  return next
}

describe('one definition', () => {
  beforeAll(async () => {
    await admin('PUT', '/registry/teams/pay', { body: { spec: {} }, headers: MAKE })
    await admin('PUT', '/registry/teams/risk', { body: { spec: {} }, headers: MAKE })
  })

  test('is made, read with its ETag, changed at its revision, deleted', async () => {
    const body = { metadata: { displayName: '核心支付' }, spec: CORE }
    const made = await admin('PUT', '/registry/systems/core', { body, headers: MAKE })
    expect(made).toMatchObject({ status: 201, json: { revision: 1, owner: 'pay', system: 'core' } })
    expect(made.headers.get('etag')).toBe('"1"')
    const again = await admin('PUT', '/registry/systems/core', { body, headers: at(1) })
    expect(again).toMatchObject({ status: 200, json: { revision: 1 } })
    const read = await admin('GET', '/registry/systems/core')
    expect(read.json).toMatchObject({
      metadata: { displayName: '核心支付' },
      spec: { topology: 'single-site' },
    })
    expect(
      (await admin('GET', '/registry/systems/core', { headers: { 'if-none-match': '"1"' } })).status,
    ).toBe(304)
    const changed = await admin('PUT', '/registry/systems/core?reason=CHG-7%20%E6%8A%95%E4%BA%A7', {
      body: { ...body, spec: { ...CORE, tier: 'general' } },
      headers: at(1),
    })
    expect(changed).toMatchObject({ status: 200, json: { revision: 2, spec: { tier: 'general' } } })
    const audit = await admin('GET', '/audit?kind=system&name=core')
    expect(audit.json['items']).toMatchObject([
      {
        action: 'update',
        reason: 'CHG-7 投产',
        actor: 'local:local',
        via: 'local token',
        origin: '127.0.0.1',
      },
      { action: 'create', before: null },
    ])
    expect((await admin('DELETE', '/registry/systems/core', { headers: at(2) })).status).toBe(204)
    expect((await admin('GET', '/registry/systems/core')).status).toBe(404)
    expect((await admin('DELETE', '/registry/systems/core', { headers: { 'if-match': '*' } })).status).toBe(
      404,
    )
  })

  test('is not changed without saying which version was read', async () => {
    const put = await admin('PUT', '/registry/teams/pay', { body: { spec: {} } })
    expect(put).toMatchObject({ status: 428, json: { code: 'SURETY_REVISION_REQUIRED' } })
    for (const header of ['W/"x"', '"1', '1', '""', '"999999999999999999999"'])
      expect((await admin('DELETE', '/registry/teams/pay', { headers: { 'if-match': header } })).status).toBe(
        428,
      )
  })

  test('of two who change it at once the second gets both versions', async () => {
    const put = (description: string) =>
      admin('PUT', '/registry/teams/risk', { body: { spec: { description } }, headers: at(1) })
    const answers = await Promise.all([put('mine'), put('yours')])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
    const [winner, loser] = answers.toSorted((a, b) => a.status - b.status)
    expect(loser?.headers.get('content-type')).toContain('application/problem+json')
    const kept = (winner?.json['spec'] as { description: string } | undefined)?.description
    expect(loser?.json).toMatchObject({
      code: 'SURETY_REVISION_CONFLICT',
      current: { revision: 2, spec: { description: kept } },
      yours: { spec: { description: kept === 'mine' ? 'yours' : 'mine' } },
    })
    const taken = await admin('PUT', '/registry/teams/risk', { body: { spec: {} }, headers: MAKE })
    expect(taken).toMatchObject({
      status: 409,
      json: { detail: expect.stringContaining('was not there') as string },
    })
  })

  test('that others name is not deleted, and names nothing that is not there', async () => {
    await admin('PUT', '/registry/systems/base', { body: { spec: CORE }, headers: MAKE })
    const gone = await admin('DELETE', '/registry/teams/pay', { headers: at(1) })
    expect(gone).toMatchObject({
      status: 409,
      json: { code: 'SURETY_RULES_BROKEN', errors: [{ place: 'system/base spec.team' }] },
    })
    const body = { spec: { ...CORE, dependsOn: [{ system: 'nothing' }] } }
    const dangling = await admin('PUT', '/registry/systems/dangling', { body, headers: MAKE })
    expect(dangling).toMatchObject({
      status: 409,
      json: { errors: [{ place: 'system/dangling spec.dependsOn[0].system' }] },
    })
  })

  const wrong: readonly { name: string; path: string; body: unknown; place: string; message: RegExp }[] = [
    {
      name: 'an unknown member',
      path: 'systems/x',
      body: { spec: { ...CORE, teer: 'critical' } },
      place: 'body.spec.teer',
      message: /unknown field «teer»/,
    },
    {
      name: 'a missing member',
      path: 'systems/x',
      body: { spec: { ...CORE, tier: undefined } },
      place: 'body.spec.tier',
      message: /must be one of critical, general, office/,
    },
    {
      name: 'a word that is none',
      path: 'systems/x',
      body: { spec: { ...CORE, tier: 'gold' } },
      place: 'body.spec.tier',
      message: /must be one of/,
    },
    {
      name: 'a vendor without a name',
      path: 'systems/x',
      body: { spec: { ...CORE, origin: 'vendor' } },
      place: 'body.spec.vendor',
      message: /is required where origin is vendor/,
    },
    {
      name: 'SQL in a name',
      path: `systems/${encodeURIComponent("x'; DROP TABLE objects; --")}`,
      body: { spec: CORE },
      place: 'body.metadata.name',
      message: /must be 1 to 128 letters/,
    },
    {
      name: 'a template in a name',
      path: `systems/${encodeURIComponent('{{7*7}}${7}')}`,
      body: { spec: CORE },
      place: 'body.metadata.name',
      message: /must be 1 to 128 letters/,
    },
    {
      name: 'a name beyond reason',
      path: `systems/${'x'.repeat(129)}`,
      body: { spec: CORE },
      place: 'params.name',
      message: /128/,
    },
    {
      name: 'a zero character in a name',
      path: 'systems/a%00b',
      body: { spec: CORE },
      place: 'params.name',
      message: /zero character/,
    },
    {
      name: 'a text that turns what follows around',
      path: 'teams/x',
      body: { metadata: { displayName: 'a\u202Eb' }, spec: {} },
      place: 'body.metadata.displayName',
      message: /control characters/,
    },
    {
      name: 'a zone that is none',
      path: 'calendars/x',
      body: { spec: { timeZone: 'Asia/Peking2' } },
      place: 'body.spec.timeZone',
      message: /write it as Asia\/Shanghai/,
    },
    {
      name: 'a day that is none',
      path: 'calendars/x',
      body: { spec: { days: [{ date: '2026-02-30', name: 'x', isOffDay: true }] } },
      place: 'body.spec.days[0].date',
      message: /is no date/,
    },
    {
      name: 'a body that is a list',
      path: 'teams/x',
      body: [],
      place: 'body.',
      message: /must be an object/,
    },
    {
      name: 'another member beside spec',
      path: 'teams/x',
      body: { spec: {}, status: {} },
      place: 'body.status',
      message: /unknown field/,
    },
    {
      name: 'an exclusion that excuses nothing',
      path: 'exclusions/x',
      body: {
        spec: {
          reason: 'r',
          approver: 'a',
          ticket: 't',
          from: '2026-01-01T00:00:00Z',
          to: '2026-01-02T00:00:00Z',
          appliesTo: {},
        },
      },
      place: 'body.spec.appliesTo',
      message: /names systems, services or slos/,
    },
    {
      name: 'an exclusion that ends before it begins',
      path: 'exclusions/x',
      body: {
        spec: {
          reason: 'r',
          approver: 'a',
          ticket: 't',
          from: '2026-01-02T00:00:00Z',
          to: '2026-01-01T00:00:00Z',
          appliesTo: { everything: true },
        },
      },
      place: 'body.spec.to',
      message: /must be later than from/,
    },
    {
      name: 'a rule that recurs by the minute',
      path: 'exclusions/x',
      body: {
        spec: {
          reason: 'r',
          approver: 'a',
          ticket: 't',
          recurring: {
            rrule: 'FREQ=MINUTELY',
            start: '2026-01-01 01:00:00',
            timeZone: 'Asia/Shanghai',
            durationSeconds: 60,
          },
          appliesTo: { everything: true },
        },
      },
      place: 'body.spec.recurring.rrule',
      message: /needs FREQ=DAILY/,
    },
    {
      name: 'a user who may everything',
      path: 'users/x',
      body: { spec: { role: 'root' } },
      place: 'body.spec.role',
      message: /viewer, operator, admin/,
    },
    {
      name: 'a user name in capitals',
      path: 'users/Root',
      body: { spec: { role: 'viewer' } },
      place: 'body.metadata.name',
      message: /lower case/,
    },
  ]
  test.each(wrong)('$name is refused with its place', async ({ path, body, place, message }) => {
    const { status, json } = await admin('PUT', `/registry/${path}`, { body, headers: MAKE })
    expect({ status, code: json['code'] }).toEqual({ status: 400, code: 'SURETY_INVALID_REQUEST' })
    const errors = json['errors'] as { place: string; message: string }[]
    expect(errors.map((one) => one.place)).toContain(place)
    expect(errors.find((one) => one.place === place)?.message).toMatch(message)
  })

  test('that is no JSON is refused', async () => {
    const reply = await admin('PUT', '/registry/teams/x', { body: '{"spec": ', headers: MAKE })
    expect(reply.status).toBe(400)
    expect((await admin('GET', '/registry/teams/x')).status).toBe(404)
  })
})

describe('lists', () => {
  beforeAll(async () => {
    const documents = Array.from({ length: 25 }, (_, n) => ({
      apiVersion: 'surety/v1',
      kind: 'Calendar',
      metadata: { name: `page-${String(n).padStart(2, '0')}`, labels: { odd: String(n % 2) } },
      spec: {},
    }))
    const body = { files: [{ file: 'pages.json', text: JSON.stringify(documents) }] }
    const applied = await admin('POST', '/registry/apply?bundle=pages', { body })
    if (applied.status !== 200) throw new Error(JSON.stringify(applied.json))
  })
  const page = async (query: string) => {
    const { status, json } = await admin('GET', `/registry/calendars?${query}`)
    const items = (json['items'] ?? []) as { name: string }[]
    return { status, json, names: items.map(({ name }) => name), next: json['next'] as string | null }
  }

  test('come in pages, to the last', async () => {
    const found: string[] = []
    for (let cursor = ''; ;) {
      const { names, next } = await page(`text=page&limit=10${cursor}`)
      found.push(...names)
      if (next === null) break
      cursor = `&cursor=${encodeURIComponent(next)}`
    }
    expect(found).toHaveLength(25)
    expect(new Set(found).size).toBe(25)
    expect(found).toEqual(found.toSorted())
    expect((await page('text=page&label=odd%3D1')).names).toHaveLength(12)
  })

  test('a cursor that was not made here, or for another list, is refused', async () => {
    const { next } = await page('text=page&limit=10')
    const made = next ?? ''
    const forged = Buffer.concat([Buffer.alloc(16), Buffer.from("x' OR 1=1")]).toString('base64url')
    const bent = `${made.slice(0, 5)}${made[5] === 'A' ? 'B' : 'A'}${made.slice(6)}`
    for (const cursor of [forged, bent, `${made}AA`, 'x', '', '%00', 'é', 'a'.repeat(5000)]) {
      const { status, json } = await page(`text=page&limit=10&cursor=${encodeURIComponent(cursor)}`)
      expect({ cursor: cursor.slice(0, 20), status, code: json['code'] }).toMatchObject({
        status: 400,
        code: 'SURETY_INVALID_REQUEST',
      })
    }
    expect((await page(`text=other&limit=10&cursor=${made}`)).status).toBe(400)
    const teams = await admin('GET', `/registry/teams?text=page&limit=10&cursor=${made}`)
    expect(teams.status).toBe(400)
    // Another size of page goes on where the last one ended.
    expect((await page(`text=page&limit=3&cursor=${made}`)).names).toEqual(['page-10', 'page-11', 'page-12'])
  })

  test.each(['limit=0', 'limit=1001', 'limit=x', 'label=novalue', 'text=%00'])(
    '%s is refused',
    async (query) => {
      expect((await page(query)).json['code']).toBe('SURETY_INVALID_REQUEST')
    },
  )

  test('the audit has pages, too, and refuses ranges that are too long', async () => {
    const firstPage = await admin('GET', '/audit?kind=calendar&limit=20')
    expect(firstPage.json['items']).toHaveLength(20)
    const next = encodeURIComponent(String(firstPage.json['next']))
    const second = await admin('GET', `/audit?kind=calendar&limit=20&cursor=${next}`)
    expect(second.json['items']).toHaveLength(5)
    expect(second.json['next']).toBeNull()
    expect((await admin('GET', `/audit?kind=team&limit=20&cursor=${next}`)).status).toBe(400)
    expect((await admin('GET', '/audit?from=1990-01-01T00:00:00Z')).status).toBe(400)
    expect((await admin('GET', '/audit?from=now&to=-1h')).status).toBe(400)
  })
})

describe('files', () => {
  const yaml = (text: string, file = 'bank.yaml') => ({ files: [{ file, text }] })
  const BANK = `apiVersion: surety/v1
kind: Team
metadata: {name: lend}
---
apiVersion: surety/v1
kind: System
metadata:
  name: lending
  displayName: 信贷
spec:
  team: lend
  tier: general
  type: core
  origin: vendor
  vendor: Acme 银行软件
`

  test('what is wrong is told with file, line and path, all of it, and nothing is kept', async () => {
    const text = `${BANK}---
apiVersion: surety/v1
kind: System
metadata:
  name: other
spec:
  team: lend
  tier: golden
  type: core
  origin: in-house
  colour: red
---
apiVersion: surety/v9
kind: Team
metadata: {name: x}
---
- apiVersion: surety/v1
  kind: Teem
  metadata: {name: x}
`
    const { status, json } = await admin('POST', '/registry/apply', { body: yaml(text) })
    expect({ status, code: json['code'] }).toEqual({ status: 400, code: 'SURETY_DOCUMENTS_INVALID' })
    expect(
      (json['errors'] as { place: string; message: string }[]).map(({ place }) => place).toSorted(),
    ).toEqual([
      'bank.yaml:23 spec.tier',
      'bank.yaml:26 spec.colour',
      'bank.yaml:28 apiVersion',
      'bank.yaml:33 kind',
    ])
    expect((await admin('GET', '/registry/teams/lend')).status).toBe(404)
  })

  test('1.12 that name what is not there leave nothing behind', async () => {
    const { status, json } = await admin('POST', '/registry/apply', {
      body: yaml(BANK.replace('team: lend', 'team: no')),
    })
    expect({ status, code: json['code'] }).toEqual({ status: 409, code: 'SURETY_RULES_BROKEN' })
    expect((await admin('GET', '/registry/teams/lend')).status).toBe(404)
    const checked = await admin('POST', '/registry/validate', {
      body: yaml(BANK.replace('team: lend', 'team: no')),
    })
    expect(checked.json).toMatchObject({ errors: [{ place: 'system/lending spec.team' }] })
    expect((await admin('POST', '/registry/validate', { body: yaml(BANK) })).json).toMatchObject({
      objects: 2,
    })
  })

  test('1.14 are applied as one: dry run, difference, consent, prune; and come back as they were', async () => {
    const apply = (text: string, query = '') =>
      admin('POST', `/registry/apply?bundle=lending&reason=CHG-9${query}`, { body: yaml(text) })
    const dry = await apply(BANK, '&dryRun=true')
    expect(dry.json).toMatchObject({
      changes: [
        { action: 'create', kind: 'team' },
        { action: 'create', kind: 'system' },
      ],
    })
    expect((await admin('GET', '/registry/teams/lend')).status).toBe(404)
    expect((await apply(BANK)).json).toMatchObject({ unchanged: 0 })
    expect((await apply(BANK)).json).toMatchObject({ changes: [], unchanged: 2 })
    const changed = await apply(BANK.replace('tier: general', 'tier: critical'), '&dryRun=true')
    expect(changed.json['changes']).toEqual([
      {
        action: 'update',
        kind: 'system',
        name: 'lending',
        differences: [{ path: 'spec.tier', before: 'general', after: 'critical' }],
      },
    ])
    const exported = await admin('GET', '/registry/export?bundle=lending')
    const documents = exported.json['documents'] as object[]
    expect((await apply(JSON.stringify(documents))).json).toMatchObject({ changes: [], unchanged: 2 })

    const onlyTeam = BANK.slice(0, BANK.indexOf('---'))
    const refused = await apply(onlyTeam, '&prune=true')
    expect(refused).toMatchObject({ status: 409, json: { code: 'SURETY_CONSENT_NEEDED' } })
    const { plan } = (await apply(onlyTeam, '&prune=true&dryRun=true')).json
    expect((await apply(onlyTeam, '&prune=true&plan=other')).json['code']).toBe('SURETY_CONSENT_NEEDED')
    const pruned = await apply(onlyTeam, `&prune=true&plan=${String(plan)}`)
    expect(pruned.json).toMatchObject({ changes: [{ action: 'delete', name: 'lending' }] })
    const [row] = (await admin('GET', '/audit?kind=system&name=lending&limit=1')).json['items'] as {
      request: string
      reason: string
    }[]
    expect(row).toMatchObject({ action: 'delete', reason: 'CHG-9' })
    expect((await admin('GET', `/audit?request=${row?.request}`)).json['items']).toHaveLength(1)
  })

  test('1.14 every kind of OpenSLO that is stored is exported and applied again without a new revision', async () => {
    const root = new URL('../../deploy/slos/', import.meta.url)
    const demo = readdirSync(root)
      .filter((name) => name.endsWith('.yaml'))
      .map((file) => ({ file, text: readFileSync(new URL(file, root), 'utf8') }))
    const metric = (query: string) => ({ metricSource: { metricSourceRef: 'thanos', spec: { query } } })
    const others = [
      [
        'DataSource',
        'thanos',
        { type: 'Prometheus', connectionDetails: { url: 'http://thanos', on: 'yes' } },
      ],
      [
        'SLI',
        'fx-good',
        {
          ratioMetric: { counter: true, bad: metric('sum(rate(e[5m]))'), total: metric('sum(rate(a[5m]))') },
        },
      ],
      ['AlertNotificationTarget', 'on-call', { target: 'email' }],
      [
        'AlertCondition',
        'fast',
        {
          severity: 'page',
          condition: { kind: 'burnrate', op: 'gt', threshold: 14.4, lookbackWindow: '1h', alertAfter: '5m' },
        },
      ],
      [
        'AlertPolicy',
        'page-all',
        { conditions: [{ conditionRef: 'fast' }], notificationTargets: [{ targetRef: 'on-call' }] },
      ],
    ].map(([kind, name, spec]) => ({ apiVersion: 'openslo/v1', kind, metadata: { name }, spec }))
    const apply = (files: readonly object[]) =>
      admin('POST', '/registry/apply?bundle=all-kinds', { body: { files } })
    const applied = await apply([...demo, { file: 'others.json', text: JSON.stringify(others) }])
    expect(applied.status).toBe(200)
    const revisions = async () =>
      (await admin('GET', '/registry/slos?limit=1000')).json['items'] as { revision: number }[]
    const before = await revisions()
    const { documents } = (await admin('GET', '/registry/export?bundle=all-kinds')).json
    const again = await apply([{ file: 'export.json', text: JSON.stringify(documents) }])
    expect(again.json).toMatchObject({ changes: [], unchanged: (documents as object[]).length })
    expect(await revisions()).toEqual(before)
    const kinds = (documents as { kind: string }[]).map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set([...others.map(({ kind }) => kind), 'Service', 'SLO']))
  })

  test.each([
    { name: 'no YAML', text: 'a: [1, 2', place: /^bad\.yaml:1/ },
    { name: 'the same twice', text: `${BANK}---\n${BANK}`, place: /^bad\.yaml:\d+ metadata\.name/ },
    { name: 'a text instead of an object', text: 'hello', place: /^bad\.yaml:1/ },
    {
      name: 'no name',
      text: 'apiVersion: surety/v1\nkind: Team\nmetadata: {}\n',
      place: /^bad\.yaml:3 metadata/,
    },
    {
      name: 'a document that names itself over and over',
      text: `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map(
          (letter, n) =>
            `${letter}: &${letter} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[n]}`).join(',')}]`,
        )
        .join('\n')}\n`,
      place: /^bad\.yaml:1/,
    },
    {
      name: 'a prototype among its members',
      text: 'apiVersion: surety/v1\nkind: Team\nmetadata: {name: x}\nspec: {__proto__: {role: admin}}\n',
      place: /^bad\.yaml:4/,
    },
  ])('$name is refused', async ({ text, place }) => {
    const { status, json } = await admin('POST', '/registry/apply', { body: yaml(text, 'bad.yaml') })
    expect(status).toBe(400)
    expect((json['errors'] as { place: string }[])[0]?.place).toMatch(place)
  })
})

describe('people', () => {
  test('the first admin signs in with the one-time password, and does nothing before replacing it', async () => {
    const { signed, call: as, cookie } = await browser(first.name, first.password)
    expect(signed).toMatchObject({ status: 200, json: { name: 'admin', mustChangePassword: true } })
    const set = signed.headers.get('set-cookie') ?? ''
    expect(set).toMatch(/^surety_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/)
    expect(await as('GET', '/registry/teams')).toMatchObject({
      status: 403,
      json: { code: 'SURETY_PASSWORD_CHANGE' },
    })
    expect((await as('GET', '/session')).json).toMatchObject({ name: 'admin', role: 'admin' })
    const weak = await as('PUT', '/session/password', { body: { current: first.password, next: 'short' } })
    expect(weak).toMatchObject({ status: 400, json: { code: 'SURETY_PASSWORD_REFUSED' } })
    const next = 'correct horse battery staple'
    const changed = await as('PUT', '/session/password', { body: { current: first.password, next } })
    expect(changed.status).toBe(204)
    expect((await as('GET', '/registry/teams')).status).toBe(200)
    expect((await as('GET', '/sessions')).json['items']).toMatchObject([{ isThis: true }])
    expect((await as('DELETE', '/session')).status).toBe(204)
    const after = await call('GET', '/registry/teams', { headers: { cookie } })
    expect(after).toMatchObject({ status: 401, json: { code: 'SURETY_NOT_SIGNED_IN' } })
  })

  test('wrong passwords and unknown names get the same answer, then have to wait', async () => {
    const answers = []
    for (let n = 0; n < 6; n += 1)
      answers.push(await call('POST', '/session', { body: { user: 'ghost', password: 'x' } }))
    expect(answers[0]).toMatchObject({ status: 401, json: { code: 'SURETY_SIGN_IN_REFUSED' } })
    const known = await call('POST', '/session', { body: { user: 'admin', password: 'x' } })
    expect(known.json).toEqual(answers[0]?.json)
    expect(answers[5]).toMatchObject({ status: 429, json: { code: 'SURETY_SIGN_IN_LATER' } })
    expect(Number(answers[5]?.headers.get('retry-after'))).toBeGreaterThan(0)
    const sql = await call('POST', '/session', { body: { user: "' OR '1'='1", password: "' OR '1'='1" } })
    expect(sql.json['code']).toBe('SURETY_SIGN_IN_REFUSED')
    for (const body of [
      { user: 'a\u0000b', password: 'x' },
      { user: 'admin' },
      { user: ['admin'], password: 'x' },
    ])
      expect((await call('POST', '/session', { body })).json['code']).toBe('SURETY_INVALID_REQUEST')
  })

  test('a session changes something only from a page of Surety', async () => {
    const { call: as } = await browser('op1', await makeUser('op1', { role: 'operator', teams: ['pay'] }))
    const body = { spec: { ...CORE, type: 'payment' } }
    const put = (headers: Record<string, string>) =>
      as('PUT', '/registry/systems/csrf', { body, headers: { ...MAKE, ...headers } })
    const elsewhere: Record<string, string>[] = [
      { origin: 'http://127.0.0.1:9' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ]
    for (const headers of elsewhere) {
      const { status, json } = await put(headers)
      expect({ headers, status, code: json['code'] }).toMatchObject({
        status: 403,
        code: 'SURETY_CROSS_SITE',
      })
    }
    for (const origin of ['https://evil.example', 'null', ''])
      expect((await put({ origin })).json['code']).toBe('SURETY_FOREIGN_REQUEST')
    // As a form of another page would send it.
    const form = await as('POST', '/registry/apply', {
      body: 'a=b',
      headers: { 'content-type': 'text/plain' },
    })
    expect(form).toMatchObject({ status: 400, json: { code: 'SURETY_INVALID_REQUEST' } })
    const other = await call('POST', '/session', {
      body: { user: 'op1', password: 'x' },
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(other.json['code']).toBe('SURETY_CROSS_SITE')
    expect((await put({})).status).toBe(201)
  })

  test('an operator changes what his teams own, before and after, alone and in files', async () => {
    const { call: as } = await browser('op2', await makeUser('op2', { role: 'operator', teams: ['risk'] }))
    const system = (team: string) => ({ spec: { ...CORE, team, type: 'risk' } })
    const make = (name: string, team: string) =>
      as('PUT', `/registry/systems/${name}`, { body: system(team), headers: MAKE })
    expect((await make('mine', 'risk')).status).toBe(201)
    const foreign = await make('yours', 'pay')
    expect(foreign).toMatchObject({ status: 403, json: { code: 'SURETY_NOT_ALLOWED' } })
    expect(foreign.json['detail']).toBe('The system «yours» belongs to the team pay; yours: risk')
    const away = await as('PUT', '/registry/systems/mine', { body: system('pay'), headers: at(1) })
    expect(away.status).toBe(403)
    const taken = await as('PUT', '/registry/systems/base', { body: system('risk'), headers: at(1) })
    expect(taken.json['detail']).toContain('belongs to the team pay')
    expect((await as('DELETE', '/registry/systems/base', { headers: at(1) })).status).toBe(403)
    expect((await as('PUT', '/registry/teams/risk', { body: { spec: {} }, headers: at(2) })).status).toBe(403)
    const excuse = (systems: string[]) => ({
      spec: {
        reason: 'r',
        approver: 'a',
        ticket: 't',
        from: '2026-01-01T00:00:00Z',
        to: '2026-01-02T00:00:00Z',
        appliesTo: { systems },
      },
    })
    expect(
      (await as('PUT', '/registry/exclusions/e1', { body: excuse(['mine']), headers: MAKE })).status,
    ).toBe(201)
    expect(
      (await as('PUT', '/registry/exclusions/e2', { body: excuse(['mine', 'base']), headers: MAKE })).status,
    ).toBe(403)
    const documents = ['mine2', 'base'].map((name) => ({
      apiVersion: 'surety/v1',
      kind: 'System',
      metadata: { name },
      ...system('risk'),
    }))
    const files = [{ file: 'x.json', text: JSON.stringify(documents) }]
    expect((await as('POST', '/registry/apply', { body: { files } })).status).toBe(403)
    expect((await admin('GET', '/registry/systems/mine2')).status).toBe(404)
    const audit = await as('GET', '/audit?kind=system&name=mine')
    expect(audit.json['items']).toMatchObject([{ actor: 'op2', via: 'session' }])
  })

  test('a reader of some systems sees these and no others', async () => {
    const { call: as } = await browser(
      'part',
      await makeUser('part', { role: 'viewer', scope: { systems: ['mine'] } }),
    )
    expect((await as('GET', '/session')).json).toMatchObject({ systems: ['mine'] })
    const list = await as('GET', '/registry/systems')
    expect((list.json['items'] as { name: string }[]).map(({ name }) => name)).toEqual(['mine'])
    expect((await as('GET', '/registry/systems/base')).status).toBe(404)
    const documents = (await as('GET', '/registry/export')).json['documents'] as {
      kind: string
      metadata: { name: string }
    }[]
    expect(documents.filter(({ kind }) => kind === 'System').map(({ metadata }) => metadata.name)).toEqual([
      'mine',
    ])
    expect(documents.some(({ kind }) => kind === 'User')).toBe(false)
    expect((await as('GET', '/traces')).json['code']).toBe('SURETY_SCOPE')
    expect((await as('GET', '/services')).status).toBe(200)
  })

  test('a token does what its scopes say and ends when it is revoked', async () => {
    const { call: as } = await browser('op3', await makeUser('op3', { role: 'operator', teams: ['risk'] }))
    const made = await as('POST', '/tokens', { body: { name: 'ci', scopes: ['read'] } })
    expect(made.status).toBe(201)
    const headers = { authorization: `Bearer ${String(made.json['token'])}` }
    expect((await call('GET', '/registry/teams', { headers })).status).toBe(200)
    const write = await call('PUT', '/registry/systems/t', {
      body: { spec: { ...CORE, team: 'risk' } },
      headers: { ...headers, ...MAKE },
    })
    expect(write).toMatchObject({ status: 403, json: { code: 'SURETY_NOT_ALLOWED' } })
    expect((await call('POST', '/tokens', { body: { name: 'x', scopes: ['read'] }, headers })).status).toBe(
      403,
    )
    expect((await as('POST', '/tokens', { body: { name: 'y', scopes: ['administer'] } })).status).toBe(400)
    expect(
      (await as('POST', '/tokens', { body: { name: 'y', scopes: ['read'], user: 'admin' } })).status,
    ).toBe(403)
    expect((await as('GET', '/tokens?user=admin')).status).toBe(403)
    const listed = (await as('GET', '/tokens')).json['items'] as { id: string }[]
    expect(listed).toMatchObject([{ name: 'ci', scopes: ['read'], lastUsedAt: expect.any(String) as string }])
    expect(JSON.stringify(listed)).not.toContain(String(made.json['token']))
    expect((await as('DELETE', `/tokens/${listed[0]?.id}`)).status).toBe(204)
    const revoked = await call('GET', '/registry/teams', { headers })
    expect(revoked).toMatchObject({ status: 401, json: { code: 'SURETY_TOKEN_REFUSED' } })
    const garbled = await call('GET', '/registry/teams', { headers: { authorization: 'Basic eDp5' } })
    expect(garbled.status).toBe(401)
  })

  test('no answer holds a secret that the database keeps', async () => {
    const told = await Promise.all(
      ['/registry/users', '/audit?limit=1000', '/sessions?user=*', '/tokens?user=*', '/registry/export'].map(
        (path) => admin('GET', path),
      ),
    )
    expect(told.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const text = JSON.stringify(told.map(({ json }) => json))
    expect(text).not.toMatch(/scrypt\$|secret_hash|surety_[\w-]{43}/)
    expect(text).toContain('op1')
  })
})

test('every change that was made here is in the audit, with who, from where and by what', async () => {
  const { json } = await admin('GET', '/audit?limit=1000')
  const items = json['items'] as { actor: string; via: string; origin: string; action: string }[]
  expect(items.length).toBeGreaterThan(60)
  expect(items.filter(({ actor, via }) => actor === '' || via === '')).toEqual([])
  expect(items.filter(({ origin, actor }) => origin === '' && actor !== 'surety')).toEqual([])
  // Each object's newest row says what the object is now.
  const newest = await admin('GET', '/registry/systems/mine')
  const [row] = (await admin('GET', '/audit?kind=system&name=mine&limit=1')).json['items'] as {
    after: object
  }[]
  expect(row?.after).toMatchObject({
    spec: newest.json['spec'] as object,
    revision: newest.json['revision'] as number,
  })
})
