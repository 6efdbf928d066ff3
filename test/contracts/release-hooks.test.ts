// Every door of releases with the real engine: samples as their senders write them come in, each once, and become steps; what is not
// signed as it must be leaves nothing behind.

import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReleaseEventRecord } from '../../ingest/records/release-event.ts'
import { buildReleaseEventStore } from '../../ingest/releases/stored-release-events.ts'
import { hashToken, makeToken } from '../../ingest/runtime/tokens.ts'
import { StoreError } from '../../ingest/store/store.ts'
import { conformanceEvents } from '../support/cdevents.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const FIXTURES = new URL('../fixtures/webhooks/', import.meta.url)
const MAPPINGS = fileURLToPath(new URL('../../deploy/release-hooks/jenkins.yaml', import.meta.url))
const HOSTILE = `'); DROP TABLE release_steps; -- <img src=x onerror="alert(1)"> \\N \u2028 {x:String} 投产`
const folder = mkdtempSync(join(tmpdir(), 'surety-hooks-'))
const dataDir = join(folder, 'data')
const secretFile = join(folder, 'gitlab-token')
const mappings = join(folder, 'hooks.yaml')
const ENVIRONMENT = {
  SURETY_DATA_DIR: dataDir,
  SURETY_GITHUB_WEBHOOK_SECRET: 'github-secret',
  SURETY_GITLAB_WEBHOOK_SECRET_FILE: secretFile,
  SURETY_RELEASE_HOOKS: mappings,
}
let surety: TestSurety

beforeAll(async () => {
  writeFileSync(secretFile, 'gitlab-old\ngitlab-new\n')
  writeFileSync(join(folder, 'tower-secret'), 'tower-secret\n')
  // The example as it is, and a second tool that signs.
  const example = parse(readFileSync(MAPPINGS, 'utf8')) as { hooks: Record<string, unknown> }
  const tower = {
    secretFile: join(folder, 'tower-secret'),
    proof: { scheme: 'hmac-sha256', header: 'x-tower-signature', prefix: '' },
    idHeader: 'x-tower-id',
    fields: { kind: 'state', service: 'app' },
  }
  writeFileSync(mappings, JSON.stringify({ hooks: { ...example.hooks, tower } }))
  surety = await startSurety(ENVIRONMENT)
})
afterAll(async () => {
  await surety.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Headers = Readonly<Record<string, string>>
type Reply = { readonly status: number; readonly body: Record<string, unknown> }

async function post(path: string, body: unknown, headers: Headers = {}): Promise<Reply> {
  const reply = await fetch(`${surety.url}/api/v1/releases/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
}

const hmac = (secret: string, body: string) => createHmac('sha256', secret).update(body).digest('hex')
const github = (event: string, body: string, delivery: string = randomUUID()): Headers => ({
  'x-github-event': event,
  'x-github-delivery': delivery,
  'x-hub-signature-256': `sha256=${hmac('github-secret', body)}`,
})
const gitlab = (uuid: string = randomUUID()): Headers => ({
  'x-gitlab-event': 'Deployment Hook',
  'x-gitlab-event-uuid': uuid,
  'x-gitlab-token': 'gitlab-new',
})
const sample = (path: string) => readFileSync(new URL(path, FIXTURES), 'utf8')
const files = (path: string, ending: string) =>
  readdirSync(new URL(path, FIXTURES), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(ending),
  )

const rows = (sql: string) => surety.store().rows(sql)
const count = async (table: string) => Number((await rows(`SELECT count() AS n FROM ${table}`))[0]?.['n'])
const steps = (condition: string) =>
  rows(
    `SELECT * EXCEPT (at, received_at) FROM release_steps FINAL WHERE ${condition} ORDER BY source, event_id`,
  )
const refusals = async (door: string, status: number) => {
  const text = await (await fetch(`${surety.url}/metrics`, { headers: surety.asLocal })).text()
  return Number(
    new RegExp(`surety_ingest_refused_requests_total\\{door="${door}",status="${status}"\\} (\\d+)`).exec(
      text,
    )?.[1] ?? 0,
  )
}

describe('CDEvents', () => {
  test('all conformance files of both versions come in by HTTP, each once, and those of releases become steps', async () => {
    const all = conformanceEvents('/conformance/http', Date.now())
    expect(all).toHaveLength(92)
    for (const { name, event } of all)
      expect({ name, ...(await post('events', event)) }).toMatchObject({
        name,
        status: 201,
        body: { stored: 1 },
      })
    for (const { event } of all)
      expect(await post('events', event)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 1 } })
    const kinds = Object.fromEntries(
      (await steps(`source = '/conformance/http'`)).map((row) => [row['event_id'], row['kind']]),
    )
    for (const version of ['v0.4.1', 'v0.5.1'])
      expect(kinds).toMatchObject({
        [`${version}/service_deployed`]: 'ready',
        [`${version}/service_upgraded`]: 'ready',
        [`${version}/service_rolledback`]: 'rolled_back',
        [`${version}/service_removed`]: 'removed',
        [`${version}/environment_modified`]: 'completed',
        [`${version}/change_merged`]: 'noted',
        [`${version}/incident_detected`]: 'noted',
      })
    // 5 services, 3 environments, 5 changes, 3 incidents, 3 runs, 3 tickets and an artifact of each version.
    expect(Object.keys(kinds)).toHaveLength(46)
    expect(
      Number(
        (await rows(`SELECT count() AS n FROM release_events FINAL WHERE source = '/conformance/http'`))[0]?.[
          'n'
        ],
      ),
    ).toBe(92)
  })

  test('customData of any size within the body is kept whole, and its step within bounds', async () => {
    const deployed = conformanceEvents('/oversized', Date.now()).find(
      ({ name }) => name === 'v0.5.1/service_deployed',
    )
    const customData = {
      parameters: Object.fromEntries(Array.from({ length: 9000 }, (_, n) => [`p${n}`, 'x'.repeat(80)])),
    }
    const event = { ...deployed?.event, customData }
    expect((await post('events', event)).status).toBe(201)
    const [step] = await steps(`source = '/oversized'`)
    expect(Object.keys(JSON.parse(String(step?.['parameters'])) as object)).toHaveLength(200)
    const [kept] = await rows(
      `SELECT length(body) AS n FROM release_events FINAL WHERE source = '/oversized'`,
    )
    expect(Number(kept?.['n'])).toBe(JSON.stringify(event).length)
    const larger = { ...event, customData: { ...customData, more: 'x'.repeat(1_048_576) } }
    expect(await post('events', larger)).toMatchObject({
      status: 413,
      body: {
        code: 'SURETY_RELEASE_EVENT_TOO_LARGE',
        errors: [{ message: expect.stringContaining('1048576') as string }],
      },
    })
  })

  test('a time in the future is kept as it was told', async () => {
    const at = Date.now() + 86_400_000
    const event = conformanceEvents('/future', at).find(({ name }) => name === 'v0.4.1/service_deployed')
    expect((await post('events', event?.event)).status).toBe(201)
    const [step] = await rows(
      `SELECT toUnixTimestamp64Milli(at) AS at FROM release_steps FINAL WHERE source = '/future'`,
    )
    expect(Number(step?.['at'])).toBe(at)
  })
})

describe('GitHub', () => {
  test.each(files('github/', '.json'))('%s', async (path) => {
    const body = sample(`github/${path}`)
    const event = path.split('/')[0] ?? ''
    const headers = github(event, body)
    expect(await post('hooks/github', body, headers)).toMatchObject({ status: 201, body: { stored: 1 } })
    expect(await post('hooks/github', body, headers)).toMatchObject({
      status: 200,
      body: { stored: 0, duplicates: 1 },
    })
    const [step, ...others] = await steps(`event_id = '${headers['x-github-delivery']}'`)
    expect(others).toEqual([])
    expect(step).toMatchObject({
      tool: 'github',
      service: 'Hello-World',
      release_key: expect.stringMatching(/deployments\/\d+$/) as string,
    })
  })

  test('a form that holds the payload is taken, its signature over the form', async () => {
    const body = new URLSearchParams({ payload: sample('github/deployment/payload.json') }).toString()
    const headers = { ...github('deployment', body), 'content-type': 'application/x-www-form-urlencoded' }
    expect((await post('hooks/github', body, headers)).status).toBe(201)
  })

  test('an unknown event is kept with no step', async () => {
    const body = '{"zen": "Keep it logically awesome."}'
    const headers = github('ping', body)
    expect((await post('hooks/github', body, headers)).status).toBe(201)
    expect(await steps(`event_id = '${headers['x-github-delivery']}'`)).toEqual([])
  })

  const body = sample('github/deployment/payload.json')
  const right = github('deployment', body)
  test.each([
    { name: 'no signature', headers: { ...right, 'x-hub-signature-256': '' }, body },
    {
      name: 'another secret',
      headers: { ...right, 'x-hub-signature-256': `sha256=${hmac('other', body)}` },
      body,
    },
    { name: 'bytes that were changed', headers: right, body: body.replace('production', 'staging') },
    { name: 'a space that was added', headers: right, body: `${body} ` },
    {
      name: 'the bearer token of nobody',
      headers: { 'x-github-event': 'deployment', 'x-github-delivery': 'x', authorization: 'Bearer x' },
      body,
    },
    {
      name: 'text that is no JSON',
      headers: { ...right, 'x-hub-signature-256': 'sha256=00' },
      body: HOSTILE,
    },
  ])('$name: 401, counted, and nothing is stored', async ({ headers, body: sent }) => {
    const before = [await count('release_events'), await count('release_steps'), await count('dead_letters')]
    const counted = await refusals('releases/github', 401)
    const reply = await post('hooks/github', sent, headers)
    expect(reply).toMatchObject({ status: 401, body: { code: 'SURETY_RELEASE_HOOK_SIGNATURE' } })
    expect(JSON.stringify(reply.body)).not.toContain('github-secret')
    expect([
      await count('release_events'),
      await count('release_steps'),
      await count('dead_letters'),
    ]).toEqual(before)
    expect(await refusals('releases/github', 401)).toBe(counted + 1)
  })

  test('what is signed and no JSON is refused with its place', async () => {
    expect(await post('hooks/github', HOSTILE, github('deployment', HOSTILE))).toMatchObject({
      status: 400,
      body: { errors: [{ place: 'body' }] },
    })
  })

  test('text with quotes and markup is stored verbatim', async () => {
    const value = JSON.parse(body) as {
      deployment: Record<string, unknown>
      repository: Record<string, unknown>
    }
    const hostile = JSON.stringify({
      ...value,
      deployment: {
        ...value.deployment,
        description: HOSTILE,
        environment: HOSTILE,
        payload: { parameters: { [HOSTILE]: HOSTILE } },
      },
      repository: { ...value.repository, name: HOSTILE, html_url: HOSTILE },
    })
    const headers = github('deployment', hostile)
    expect((await post('hooks/github', hostile, headers)).status).toBe(201)
    const [step] = await steps(`event_id = '${headers['x-github-delivery']}'`)
    expect(step).toMatchObject({ service: HOSTILE, environment: HOSTILE, description: HOSTILE })
    expect(JSON.parse(String(step?.['parameters']))).toEqual({ [HOSTILE]: HOSTILE })
    const [event] = await rows(
      `SELECT body FROM release_events FINAL WHERE id = '${headers['x-github-delivery']}'`,
    )
    expect(event?.['body']).toBe(hostile)
  })
})

describe('GitLab', () => {
  test.each(
    ['gitlab-docs', 'gitlab-client-fixtures'].flatMap((each) =>
      files(`${each}/`, '.json').map((file) => `${each}/${file}`),
    ),
  )('%s', async (path) => {
    const headers = gitlab()
    expect(await post('hooks/gitlab', sample(path), headers)).toMatchObject({
      status: 201,
      body: { stored: 1 },
    })
    expect(await post('hooks/gitlab', sample(path), headers)).toMatchObject({
      status: 200,
      body: { duplicates: 1 },
    })
    const found = await steps(`startsWith(event_id, '${headers['x-gitlab-event-uuid']}')`)
    expect(found).toHaveLength(path.endsWith('job.json') ? 0 : 1)
  })

  test.each([
    { name: 'no token', given: { 'x-gitlab-token': '' }, want: 401 },
    { name: 'another token', given: { 'x-gitlab-token': 'gitlab' }, want: 401 },
    { name: 'the older of two secrets', given: { 'x-gitlab-token': 'gitlab-old' }, want: 201 },
  ])('$name: $want', async ({ given, want }) => {
    const before = await count('release_events')
    const reply = await post('hooks/gitlab', sample('gitlab-docs/deployment.json'), { ...gitlab(), ...given })
    expect(reply.status).toBe(want)
    expect(await count('release_events')).toBe(before + (want === 201 ? 1 : 0))
  })
})

describe('Argo', () => {
  test.each(files('argo-rollouts/', '.yaml'))('the object %s', async (path) => {
    const object = parse(sample(`argo-rollouts/${path}`)) as { metadata: Record<string, unknown> }
    const uid = randomUUID()
    const value = { ...object, metadata: { ...object.metadata, uid } }
    expect(await post('hooks/argo-rollouts', value)).toMatchObject({ status: 201, body: { stored: 1 } })
    expect(await post('hooks/argo-rollouts', value)).toMatchObject({ status: 200, body: { duplicates: 1 } })
    // A watch of everything sends rollouts, too.
    expect(await post('hooks/kubernetes', { type: 'MODIFIED', object: value })).toMatchObject({
      status: 200,
      body: { duplicates: 1 },
    })
    expect(await steps(`startsWith(event_id, '${uid}')`)).toMatchObject([{ tool: 'argo-rollouts' }])
  })

  test('the notification of our template for Argo CD', async () => {
    const notice = {
      app: 'limits',
      namespace: 'argocd',
      revision: 'abc',
      phase: 'Succeeded',
      health: 'Healthy',
      finishedAt: '2026-03-01T22:01:30Z',
      images: ['bank/limits:1.2.3'],
    }
    expect((await post('hooks/argo-cd', notice)).status).toBe(201)
    expect((await post('hooks/argo-cd', notice)).status).toBe(200)
    expect(await steps(`service = 'limits'`)).toMatchObject([
      { tool: 'argo-cd', kind: 'completed', version_to: '1.2.3' },
    ])
  })

  test('a sender that signs where no secret is set is told so, and nothing is stored', async () => {
    const before = await count('release_events')
    const reply = await post('hooks/argo-cd', { app: 'a', phase: 'Running' }, { 'x-surety-token': 'x' })
    expect(reply).toMatchObject({
      status: 401,
      body: { errors: [{ message: expect.stringContaining('SURETY_ARGO_CD_WEBHOOK_SECRET') as string }] },
    })
    expect(await count('release_events')).toBe(before)
  })
})

describe('Kubernetes', () => {
  const object = (replicas: number, generation: number) => ({
    kind: 'Deployment',
    metadata: {
      name: 'card',
      namespace: 'prod',
      uid: 'card-uid',
      generation,
      annotations: { 'deployment.kubernetes.io/revision': '3' },
    },
    spec: { replicas, template: { spec: { containers: [{ name: 'card', image: 'bank/card:3.1' }] } } },
    status: {
      observedGeneration: generation,
      conditions: [
        {
          type: 'Progressing',
          status: 'True',
          reason: 'NewReplicaSetAvailable',
          lastUpdateTime: '2026-03-01T22:00:30Z',
        },
      ],
    },
  })
  test('a watch that starts again adds nothing; a change of size alone is scaling', async () => {
    const watch = (type: string, given: object) => post('hooks/kubernetes', { type, object: given })
    expect(await watch('ADDED', object(4, 7))).toMatchObject({ status: 201 })
    expect(await watch('ADDED', object(4, 7))).toMatchObject({ status: 200, body: { duplicates: 1 } })
    expect(await watch('BOOKMARK', { kind: 'Deployment' })).toMatchObject({
      status: 200,
      body: { stored: 0, duplicates: 0 },
    })
    expect(await watch('MODIFIED', object(8, 8))).toMatchObject({ status: 201 })
    expect(await watch('MODIFIED', object(8, 8))).toMatchObject({ status: 200 })
    expect(await steps(`service = 'card'`)).toMatchObject([
      { kind: 'completed', change_type: 'code', version_to: '3.1' },
      { kind: 'completed', change_type: 'scaling', parameters: '{"replicas":"8"}' },
    ])
  })
})

describe('mapped webhooks', () => {
  test('Jenkins by the example', async () => {
    const build = {
      full_url: 'https://ci/job/pay/7/',
      phase: 'FINALIZED',
      status: 'SUCCESS',
      parameters: { SERVICE: 'pay', VERSION: '1.9' },
    }
    const body = { name: 'pay', build }
    expect((await post('hooks/jenkins', body)).status).toBe(201)
    expect((await post('hooks/jenkins', body)).status).toBe(200)
    expect(await steps(`service = 'pay'`)).toMatchObject([
      { tool: 'generic', kind: 'completed', version_to: '1.9', source: '/hooks/jenkins' },
    ])
  })

  test('a tool that signs in its own way', async () => {
    const body = JSON.stringify({ state: 'started', app: 'tower-app' })
    const headers = { 'x-tower-id': 't-1', 'x-tower-signature': hmac('tower-secret', body) }
    expect((await post('hooks/tower', body, { ...headers, 'x-tower-signature': 'no' })).status).toBe(401)
    expect(await steps(`service = 'tower-app'`)).toEqual([])
    expect((await post('hooks/tower', body, headers)).status).toBe(201)
    expect(await steps(`service = 'tower-app'`)).toMatchObject([{ event_id: 't-1', kind: 'started' }])
  })

  test('one that is not mapped is none, and is told which are', async () => {
    expect(await post('hooks/nobody', {})).toMatchObject({
      status: 404,
      body: {
        code: 'SURETY_RELEASE_HOOK_UNKNOWN',
        errors: [{ message: expect.stringContaining('jenkins, tower') as string }],
      },
    })
  })

  test('a body beyond the limit is refused before it is believed', async () => {
    expect(await post('hooks/jenkins', { a: 'x'.repeat(1_048_576) })).toMatchObject({ status: 413 })
  })
})

describe('manual entry', () => {
  const entry = {
    id: 'm-1',
    kind: 'completed',
    changeType: 'host_patch',
    target: HOSTILE,
    description: HOSTILE,
  }
  test('is for who may write, and says who it was', async () => {
    expect((await post('manual', entry)).status).toBe(401)
    expect(await steps(`tool = 'manual'`)).toEqual([])
    expect(await post('manual', entry, surety.asLocal)).toMatchObject({
      status: 201,
      body: { stored: 1, source: '/surety/manual', id: 'm-1' },
    })
    expect(await post('manual', entry, surety.asLocal)).toMatchObject({
      status: 200,
      body: { stored: 0, duplicates: 1, id: 'm-1' },
    })
    const [step] = await steps(`tool = 'manual'`)
    expect(step).toMatchObject({ target: HOSTILE, description: HOSTILE, change_type: 'host_patch' })
    expect(step?.['actor']).not.toBe('')
  })

  test('a mistake is told with its place', async () => {
    expect(await post('manual', { kind: 'go' }, surety.asLocal)).toMatchObject({
      status: 400,
      body: { errors: [{ place: 'kind' }] },
    })
  })
})

describe('event and step', () => {
  const record = (id: string): ReleaseEventRecord => {
    const type = 'dev.cdevents.service.removed.0.3.0'
    const body = JSON.stringify({
      context: { specversion: '0.5.1', type, id },
      subject: { id: 'gone', content: {} },
    })
    return {
      source: '/broken-off',
      id,
      type,
      at: Date.now(),
      receivedAt: Date.now(),
      service: 'gone',
      version: '',
      environment: '',
      action: 'removed',
      description: '',
      subject: 'gone',
      specversion: '0.5.1',
      body,
    }
  }

  test('a call that broke off between the two is completed by the same call again', async () => {
    const store = surety.store()
    let left = 2
    const events = buildReleaseEventStore({
      ask: (...asked) => store.ask(...asked),
      insertRows: async (table, ...rest) => {
        if (table === 'release_steps' && left-- > 0) throw new StoreError('SURETY_STORE_BUSY', 'busy')
        await store.insertRows(table, ...rest)
      },
    })
    const sent = [record('a'), record('b')]
    await expect(events.add(sent)).rejects.toThrow('busy')
    expect(await steps(`source = '/broken-off'`)).toEqual([])
    await expect(events.add(sent)).rejects.toThrow('busy')
    expect(await events.add(sent)).toEqual({ stored: 0, duplicates: 2 })
    expect(await events.add(sent)).toEqual({ stored: 0, duplicates: 2 })
    expect(
      await rows(`SELECT event_id FROM release_steps WHERE source = '/broken-off' ORDER BY event_id`),
    ).toEqual([{ event_id: 'a' }, { event_id: 'b' }])
  })

  test('events from before there were steps get them at the next start', async () => {
    const before = await steps('1')
    expect(before.length).toBeGreaterThan(60)
    await surety.store().command('TRUNCATE TABLE release_steps')
    await surety.stop()
    surety = await startSurety(ENVIRONMENT)
    await expect.poll(() => count('release_steps'), { timeout: 120_000 }).toBe(before.length)
    expect(await steps('1')).toEqual(before)
  })
})

test('where tokens are asked for, a secret stands for one, and a door without a secret asks', async () => {
  await surety.stop()
  const token = makeToken()
  const tokensFile = join(folder, 'tokens.json')
  writeFileSync(tokensFile, JSON.stringify([{ name: 'ci', hash: hashToken(token), scopes: ['releases'] }]), {
    mode: 0o600,
  })
  surety = await startSurety({ ...ENVIRONMENT, SURETY_TOKENS_FILE: tokensFile, SURETY_TOKENS_REQUIRED: '1' })
  const body = sample('github/deployment/payload.json')
  expect((await post('hooks/github', body, github('deployment', body))).status).toBe(201)
  const notice = { app: 'other', phase: 'Running', startedAt: '2026-03-01T22:00:00Z' }
  expect((await post('hooks/argo-cd', notice)).status).toBe(401)
  expect((await post('hooks/jenkins', { build: {} })).status).toBe(401)
  expect((await post('hooks/argo-cd', notice, { authorization: `Bearer ${token}` })).status).toBe(201)
})
