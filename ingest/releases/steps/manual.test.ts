import { expect, test } from 'vitest'
import { hookRecord } from './hook-event.ts'
import { parseManual } from './manual.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const NOW = Date.parse('2026-03-02T00:00:00Z')
const HOSTILE = `'); DROP TABLE release_steps; -- <script>alert("1")</script> \\ 投产`

function enter(value: Json, actor = 'li') {
  const parsed = parseManual(value, JSON.stringify(value), actor)
  if (parsed.kind === 'refused')
    return { problems: parsed.problems.map(({ place, message }) => `${place} ${message}`) }
  const record = hookRecord(parsed.identity, parsed.body, NOW, stepOfEvent)
  return { record, step: stepOfEvent(record) }
}

test.each(['host_patch', 'network', 'scaling', 'schema', 'flag', 'config', 'client', 'infra'])(
  'a change of the type %s to something that is no service',
  (changeType) => {
    const { step } = enter({
      kind: 'completed',
      changeType,
      target: 'rack 7',
      at: '2026-03-01T22:00:00+08:00',
    })
    expect(step).toMatchObject({
      tool: 'manual',
      kind: 'completed',
      changeType,
      target: 'rack 7',
      actor: 'li',
      at: Date.parse('2026-03-01T14:00:00Z'),
      isReversible: changeType !== 'schema',
    })
  },
)

test('everything that can be said is told, verbatim', () => {
  const entry = {
    kind: 'step',
    service: HOSTILE,
    versionTo: '2.14.0',
    ticket: HOSTILE,
    orderId: 'FB-7',
    batchNo: 1,
    batchTotal: 3,
    scope: { selectors: [{ attribute: 'branch', values: [HOSTILE] }], weightPercent: 5 },
    parameters: { [HOSTILE]: HOSTILE },
    isReversible: false,
  }
  expect(enter(entry).step).toMatchObject({
    ...entry,
    scope: { selectors: [{ attribute: 'branch', match: 'exact', values: [HOSTILE] }], weightPercent: 5 },
  })
})

test('an id makes a repeat known; without one each entry is its own', () => {
  expect(enter({ id: 'm-1', kind: 'started', service: 'a' }).record?.id).toBe('m-1')
  const one = enter({ kind: 'started', service: 'a' }).record?.id
  expect(one).not.toBe(enter({ kind: 'started', service: 'a' }).record?.id)
})

test('who enters it is not the entry’s to say', () => {
  expect(enter({ kind: 'started', service: 'a', actor: 'root' }).problems).toEqual([
    expect.stringContaining('actor') as string,
  ])
  expect(enter({ kind: 'started', service: 'a' }, '').step?.actor).toBe('')
})

test.each([
  { name: 'no kind', value: { service: 'a' }, want: /^kind must be one of requested, started/ },
  { name: 'a kind that is none', value: { kind: 'go', service: 'a' }, want: /^kind must be one of/ },
  {
    name: 'neither service nor target',
    value: { kind: 'started' },
    want: /^service name the service, or in target/,
  },
  {
    name: 'a time that is none',
    value: { kind: 'started', service: 'a', at: 'soon' },
    want: /^at .*RFC 3339/,
  },
  {
    name: 'a weight above 100',
    value: { kind: 'started', service: 'a', scope: { weightPercent: 101 } },
    want: /^scope\.weightPercent/,
  },
  {
    name: 'a text that is too long',
    value: { kind: 'started', service: 'a'.repeat(257) },
    want: /^service .*256/,
  },
])('$name is told with its place', ({ value, want }) => {
  expect(enter(value).problems?.[0]).toMatch(want)
})
