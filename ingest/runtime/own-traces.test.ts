import { expect, test } from 'vitest'
import { keyValue } from '../../test/support/otlp.ts'
import { buildOwnTraces, hasForeign, type SpanSink } from './own-traces.ts'

const resource = (service: string) => keyValue('service.name', service).toString('latin1')
const OWN = { resources: [resource('surety')] }
const FOREIGN = { resources: [resource('surety'), resource('ledger')] }

async function setUp() {
  const clock = { at: 1e12, now: () => clock.at }
  const spans: string[] = []
  let isWithin = false
  const sink: SpanSink = {
    async run(name, _, work) {
      spans.push(name)
      isWithin = true
      return work().finally(() => (isWithin = false))
    },
    isWithin: () => isWithin,
    request: () => ({ set: () => {}, fail: () => {}, end: () => {} }),
    close: () => Promise.resolve(),
  }
  let loads = 0
  const traces = buildOwnTraces(clock, async () => {
    loads += 1
    return sink
  })
  const open = () => traces.open({ url: '', ratio: 1, logger: undefined as never })
  return { traces, clock, spans, open, loads: () => loads }
}

const work = () => Promise.resolve(1)

test.each([
  { name: 'nothing', items: [], want: false },
  { name: 'own spans', items: [OWN, OWN], want: false },
  { name: 'own spans beside others in one message', items: [FOREIGN], want: true },
  { name: 'a message of others beside own ones', items: [OWN, FOREIGN], want: true },
  { name: 'a service whose name begins alike', items: [{ resources: [resource('surety-x')] }], want: true },
  { name: 'a resource without a name', items: [{ resources: [''] }], want: true },
])('$name: foreign is $want', ({ items, want }) => {
  expect(hasForeign(items)).toBe(want)
})

test('off, everything is done and nothing is loaded', async () => {
  const { traces, spans, loads } = await setUp()
  expect(await traces.batch('b', {}, [FOREIGN], work)).toBe(1)
  expect(await traces.aftermath('d', {}, work)).toBe(1)
  expect(traces.request('GET /', {}, {})).toBeUndefined()
  expect([spans, loads()]).toEqual([[], 0])
})

test('work on own spans makes no span, nor do its steps and what follows from it', async () => {
  const { traces, clock, spans, open } = await setUp()
  await open()
  await traces.batch('own', {}, [OWN], () => traces.step('commit', {}, work))
  await traces.aftermath('derive', {}, work)
  expect(spans).toEqual([])
  await traces.batch('foreign', {}, [OWN, FOREIGN], () => traces.step('commit', {}, work))
  await traces.aftermath('derive', {}, work)
  expect(spans).toEqual(['foreign', 'commit', 'derive'])
  clock.at += 15 * 60_000
  await traces.batch('own', {}, [OWN], work)
  clock.at += 1
  await traces.aftermath('derive', {}, work)
  expect(spans).toHaveLength(3)
})
