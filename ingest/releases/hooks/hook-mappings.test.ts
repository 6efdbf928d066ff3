import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { hookRecord } from '../steps/hook-event.ts'
import { mappedEvent } from '../steps/mapped.ts'
import { stepOfEvent } from '../steps/step-of-event.ts'
import { readHookMappings } from './hook-mappings.ts'
import { readHooks } from './open-hooks.ts'

const EXAMPLE = fileURLToPath(new URL('../../../deploy/release-hooks/jenkins.yaml', import.meta.url))
const NOW = Date.parse('2026-03-02T00:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'surety-hooks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function written(text: string): string {
  const path = join(folder, 'hooks.yaml')
  writeFileSync(path, text)
  return path
}

describe('the example of Jenkins', () => {
  const hooks = readHookMappings(EXAMPLE)
  const mappings = new Map(hooks.map(({ mapping }) => [mapping.name, mapping]))
  const take = (build: Record<string, unknown>) => {
    const mapping = mappings.get('jenkins')
    if (mapping === undefined) throw new Error('the example maps no jenkins')
    const value = { name: 'transfer-deploy', url: 'job/transfer-deploy/', build: { number: 41, ...build } }
    const text = JSON.stringify(value)
    const answer = mappedEvent({ headers: {}, value, text, receivedAt: NOW }, mapping)
    if (answer.kind !== 'event') throw new Error('not taken')
    const stepOf = (event: Parameters<typeof stepOfEvent>[0]) => stepOfEvent(event, mappings)
    const record = hookRecord(answer.identity, text, NOW, stepOf)
    return { record, step: stepOf(record) }
  }
  const parameters = {
    SERVICE: 'transfer',
    VERSION: '2.14.0',
    ENVIRONMENT: 'prod',
    TICKET: 'CHG-1',
    ORDER: 'FB-7',
    CANARY_WEIGHT: '20',
  }

  test.each([
    [{ phase: 'QUEUED' }, 'requested'],
    [{ phase: 'STARTED' }, 'started'],
    [{ phase: 'FINALIZED', status: 'SUCCESS' }, 'completed'],
    [{ phase: 'FINALIZED', status: 'FAILURE' }, 'failed'],
    [{ phase: 'FINALIZED', status: 'ABORTED' }, 'aborted'],
    // Said once more when the build is complete; the state is told when it is final.
    [{ phase: 'COMPLETED', status: 'SUCCESS' }, 'completed'],
  ])('a build in the state %o is %s', (state, kind) => {
    const { record, step } = take({
      ...state,
      full_url: 'https://ci/job/transfer-deploy/41/',
      parameters,
      scm: { commit: 'abc' },
    })
    expect(record).toMatchObject({
      source: '/hooks/jenkins',
      type: 'dev.surety.hook.jenkins',
      service: 'transfer',
    })
    expect(step).toMatchObject({
      tool: 'generic',
      kind,
      service: 'transfer',
      versionTo: '2.14.0',
      environment: 'prod',
      ticket: 'CHG-1',
      orderId: 'FB-7',
      vcsRevision: 'abc',
      pipeline: 'https://ci/job/transfer-deploy/41/',
      releaseKey: 'https://ci/job/transfer-deploy/41/',
      scope: { weightPercent: 20 },
    })
  })

  test('a build that says no service is kept and tells of no release', () => {
    expect(take({ phase: 'STARTED', parameters: {} }).step).toBeUndefined()
  })
})

describe('a mapping', () => {
  const only = (hook: string) => readHookMappings(written(`hooks:\n  tool:\n${hook}`))
  test('takes times of any form, lists of places, words and constants', () => {
    const [hook] = only(`
    id: [event.id, event.state]
    fields:
      kind: event.state
      service: [event.app, event.application]
      at: event.time
      scope: event.gray
      changeType: event.what
    values:
      kind: {"1": started, "2": completed, "*": ""}
    constants: {environment: prod, isReversible: false}`)
    if (hook === undefined) throw new Error('no hook')
    const mappings = new Map([['tool', hook.mapping]])
    const take = (event: Record<string, unknown>) => {
      const value = { event }
      const text = JSON.stringify(value)
      const answer = mappedEvent({ headers: {}, value, text, receivedAt: NOW }, hook.mapping)
      if (answer.kind !== 'event') throw new Error('not taken')
      const record = hookRecord(answer.identity, text, NOW, (each) => stepOfEvent(each, mappings))
      return { id: record.id, step: stepOfEvent(record, mappings) }
    }
    const gray = { branches: ['0531-01'] }
    expect(
      take({ id: 'x', state: 1, application: 'pay', time: 1_772_000_000, gray, what: 'ddl' }),
    ).toMatchObject({
      id: 'x/1',
      step: {
        kind: 'started',
        service: 'pay',
        at: 1_772_000_000_000,
        environment: 'prod',
        changeType: 'schema',
        isReversible: false,
        scope: { selectors: [{ attribute: 'branch', values: ['0531-01'] }] },
      },
    })
    expect(take({ id: 'x', state: 2, app: 'pay', time: 1_772_000_000_123 }).step?.at).toBe(1_772_000_000_123)
    expect(take({ id: 'x', state: 3, app: 'pay' }).step).toBeUndefined()
    // Without its id an event is known by its bytes.
    expect(take({ state: 1, app: 'pay' }).id).toMatch(/^sha256:/)
  })

  test.each([
    { name: 'a file that is not there', text: undefined, want: /cannot be read as YAML/ },
    { name: 'text that is no YAML', text: 'hooks: [', want: /cannot be read as YAML/ },
    {
      name: 'a field that is none',
      text: 'hooks: {a: {fields: {services: x}}}',
      want: /hooks\.a\.fields.*services|services.*must be one of/,
    },
    {
      name: 'a path that is none',
      text: 'hooks: {a: {fields: {kind: "a..b", service: b}}}',
      want: /hooks\.a\.fields\.kind/,
    },
    {
      name: 'no place for kind',
      text: 'hooks: {a: {fields: {service: b}}}',
      want: /must say where kind stands/,
    },
    {
      name: 'no place for service',
      text: 'hooks: {a: {fields: {kind: b}}}',
      want: /must say where service or target stands/,
    },
    {
      name: 'a kind that is none',
      text: 'hooks: {a: {fields: {kind: b, service: c}, values: {kind: {x: go}}}}',
      want: /hooks\.a\.values\.kind\.x: must be one of/,
    },
    {
      name: 'the name of a door of its own',
      text: 'hooks: {github: {fields: {kind: b, service: c}}}',
      want: /is a door of its own/,
    },
    {
      name: 'a name that is none',
      text: 'hooks: {"A b": {fields: {kind: b, service: c}}}',
      want: /a name is made of/,
    },
  ])('$name is told with the file and the place', ({ text, want }) => {
    const path = text === undefined ? join(folder, 'absent.yaml') : written(text)
    expect(() => readHookMappings(path)).toThrow(want)
    expect(() => readHookMappings(path)).toThrow(`SURETY_RELEASE_HOOKS=${path}`)
  })

  test('a secret that is not there, or empty, is told', () => {
    const hook = (file: string) => written(`hooks: {a: {secretFile: ${file}, fields: {kind: b, service: c}}}`)
    const missing = join(folder, 'no-secret')
    expect(() => readHooks({ SURETY_RELEASE_HOOKS: hook(missing) })).toThrow(
      /hooks\.a\.secretFile=.*cannot be read/,
    )
    const empty = join(folder, 'empty')
    writeFileSync(empty, '\n\n')
    expect(() => readHooks({ SURETY_RELEASE_HOOKS: hook(empty) })).toThrow(/holds no secret/)
    const two = join(folder, 'two')
    writeFileSync(two, 'old\nnew\n')
    expect(readHooks({ SURETY_GITHUB_WEBHOOK_SECRET_FILE: two }).own.github.lock?.secrets).toEqual([
      'old',
      'new',
    ])
  })
})
