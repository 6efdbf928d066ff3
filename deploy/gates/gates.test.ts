// The gates against a stand-in for Surety's API: every answer it can give has its exit code, and what is not known is never a go.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parseReleaseEvent } from '../../ingest/releases/parse-release-event.ts'

const script = fileURLToPath(new URL('gate.sh', import.meta.url))
const reply = (decision: string, sentence = 'all is well') =>
  JSON.stringify({ decision, verdict: null, headline: { en: sentence, zh: '正常' } })

type Asked = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

let asked: Asked[]
let answers: { readonly status: number; readonly body: string }[]
let address: string
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    asked.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
    // The last answer stands.
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    response.writeHead(answer?.status ?? 500, { 'content-type': 'application/json' })
    response.end(answer?.body ?? '')
  })
})

beforeEach(async () => {
  asked = []
  answers = []
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

function gate(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const environment = {
      PATH: process.env['PATH'] ?? '',
      SURETY_URL: address,
      SERVICE: 'transfer',
      VERSION: '2.14.0+build 7',
      ...env,
    }
    execFile('sh', [script, ...words], { env: environment }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      })
    })
  })
}

describe('gate.sh ask', () => {
  test.each([
    { decision: 'go', code: 0 },
    { decision: 'abort', code: 1 },
    { decision: 'wait', code: 2 },
  ])('$decision ends with $code and says why', async ({ decision, code }) => {
    answers = [{ status: 200, body: reply(decision, 'fails "38 %"') }]
    const ended = await gate(['ask'])
    expect(ended).toEqual({ code, stdout: `${decision} transfer 2.14.0+build 7: fails "38 %"\n`, stderr: '' })
    const url = new URL(asked[0]?.url ?? '', address)
    expect(url.pathname).toBe('/api/v1/releases/verdict')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      service: 'transfer',
      version: '2.14.0+build 7',
      environment: '',
    })
  })

  test.each([
    { name: 'an API that refuses', status: 401, body: '{"code":"SURETY_TOKEN_REFUSED"}' },
    { name: 'an API that is down', status: 503, body: '' },
    { name: 'another program', status: 200, body: '<html>"decision":"go"</html>' },
    { name: 'a sentence that says go', status: 200, body: reply('later', '{"decision":"go"') },
  ])('$name is no go', async ({ status, body }) => {
    answers = [{ status, body }]
    const ended = await gate(['ask'])
    expect(ended.code).toBe(2)
    expect(ended.stderr).not.toBe('')
  })

  test('nobody there is no go', async () => {
    const ended = await gate(['ask'], { SURETY_URL: 'http://127.0.0.1:1' })
    expect(ended.code).toBe(2)
    expect(ended.stdout).toMatch(/^wait transfer/)
    expect(ended.stderr).toContain('does not answer')
  })

  test('asks again while it has to wait, and not once it is told', async () => {
    answers = [
      { status: 200, body: reply('wait') },
      { status: 503, body: '' },
      { status: 200, body: reply('go') },
    ]
    const ended = await gate(['ask'], { GATE_WAIT_SECONDS: '5', GATE_EVERY_SECONDS: '1' })
    expect(ended.code).toBe(0)
    expect(asked).toHaveLength(3)
  })

  test('sends the token as a header', async () => {
    answers = [{ status: 200, body: reply('go') }]
    await gate(['ask'], { SURETY_TOKEN: 'sry_abc' })
    expect(asked[0]?.headers.authorization).toBe('Bearer sry_abc')
  })

  test.each([
    { name: 'no service', words: ['ask'], env: { SERVICE: '' }, says: 'SERVICE is not set' },
    { name: 'no version', words: ['ask'], env: { VERSION: '' }, says: 'VERSION is not set' },
    { name: 'another word', words: ['go'], env: {}, says: 'neither ask nor acted' },
    { name: 'an unknown deed', words: ['acted', 'forgot', 'wang'], env: {}, says: 'none of promoted' },
    { name: 'nobody', words: ['acted', 'aborted'], env: {}, says: 'BY is not given' },
    {
      name: 'a wait that is no number',
      words: ['ask'],
      env: { GATE_WAIT_SECONDS: '5m' },
      says: 'whole seconds',
    },
  ])('$name is called wrongly, and asks nothing', async ({ words, env, says }) => {
    const ended = await gate(words, env)
    expect(ended.code).toBe(64)
    expect(ended.stderr).toContain(says)
    expect(asked).toEqual([])
  })
})

describe('gate.sh acted', () => {
  test('tells what was done and who chose as an event that the door takes, whatever people typed', async () => {
    answers = [{ status: 202, body: '{}' }]
    const reason = 'agreed with "business"\n\\ and $(id) `id`'
    const ended = await gate(['acted', 'aborted', '王 wang', reason], { ENVIRONMENT: 'prod' })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const [{ url, headers, body }] = asked as [Asked]
    expect(url).toBe('/api/v1/releases/events')
    const parsed = parseReleaseEvent({
      headers: { 'content-type': headers['content-type'] },
      body,
      receivedAt: Date.now(),
    })
    expect(parsed).toMatchObject({
      kind: 'record',
      records: [{ type: 'dev.cdeventsx.surety-gate.acted.0.1.0', source: '/gates/curl' }],
    })
    expect(JSON.parse(body.toString())).toMatchObject({
      subject: { id: 'transfer', content: { action: 'aborted' } },
      customData: {
        kind: 'noted',
        service: 'transfer',
        version: '2.14.0+build 7',
        environment: 'prod',
        actor: '王 wang',
        description: 'aborted: agreed with "business" \\ and $(id) `id`',
      },
    })
  })

  test('says when the event was not taken', async () => {
    answers = [{ status: 400, body: '{}' }]
    const ended = await gate(['acted', 'promoted', 'jenkins'])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain('(400)')
  })
})

describe('Argo Rollouts', () => {
  type Metric = {
    successCondition: string
    failureCondition: string
    count: number
    inconclusiveLimit: number
    provider: { web: { url: string; jsonPath: string } }
  }
  const documents = parseAllDocuments(
    readFileSync(new URL('argo-rollouts.yaml', import.meta.url), 'utf8'),
  ).map((document) => {
    const [wrong] = document.errors
    if (wrong !== undefined) throw wrong
    return document.toJS() as {
      kind: string
      metadata: { name: string }
      spec: {
        args: { name: string }[]
        metrics: Metric[]
        strategy?: { canary: { steps: { analysis?: { templates: { templateName: string }[] } }[] } }
      }
    }
  })
  const template = documents[0]

  test('asks for the decision and knows go and abort; anything else is inconclusive until the time is up', () => {
    expect(template?.kind).toBe('AnalysisTemplate')
    const metric = template?.spec.metrics[0] as Metric
    expect(metric.successCondition).toBe('result == "go"')
    expect(metric.failureCondition).toBe('result == "abort"')
    expect(metric.inconclusiveLimit).toBeGreaterThanOrEqual(metric.count)
    expect(metric.provider.web.jsonPath).toBe('{$.decision}')
    const names = template?.spec.args.map(({ name }) => name)
    for (const [, name] of metric.provider.web.url.matchAll(/\{\{args\.([\w-]+)\}\}/g))
      expect(names).toContain(name)
  })

  test('its rollout uses the template that is there', () => {
    const steps = documents[1]?.spec.strategy?.canary.steps ?? []
    const used = steps.flatMap(
      ({ analysis }) => analysis?.templates.map(({ templateName }) => templateName) ?? [],
    )
    expect(used).toEqual([template?.metadata.name, template?.metadata.name])
  })
})
