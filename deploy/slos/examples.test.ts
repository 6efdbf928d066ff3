// The examples of the demo bank: taken in strict mode without a word, each can be executed, and they speak of what the demo has.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BRANCHES, SERVICES } from '../demo/topology.ts'
import { isJourney, stepMsOf } from '../../query/slo/model.ts'
import { readSlos } from '../../query/openslo/bundle.ts'

const FOLDER = new URL('./', import.meta.url)
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }))
const { objects, definitions, problems } = readSlos(files, { isStrict: true })
const slos = [...definitions.values()]

test('all of them together are taken in strict mode without a word', () => {
  expect(problems).toEqual([])
  expect(objects.length).toBeGreaterThan(15)
})

test.each(files)('$file is taken by itself, too', ({ file, text }) => {
  expect(readSlos([{ file, text }], { isStrict: true }).problems).toEqual([])
})

test('every SLO can be executed', () => {
  expect(slos.map(({ name }) => name).toSorted()).toEqual(
    objects.flatMap((object) => (object.kind === 'SLO' ? [object.metadata.name] : [])).toSorted(),
  )
})

describe('what they show', () => {
  const critical = ['gateway', 'transfer', 'account', 'ledger']
  test.each(critical)('%s has availability and latency in slices of ten seconds', (service) => {
    for (const what of ['availability', 'latency']) {
      const slo = definitions.get(`${service}-${what}`)
      expect(slo?.service).toBe(service)
      expect(slo === undefined ? 0 : stepMsOf(slo)).toBe(10_000)
    }
  })
  test('one payment journey, one by region with a bound, one calendar month', () => {
    expect(slos.filter(({ indicators }) => indicators.some(isJourney)).map(({ name }) => name)).toContain(
      'journey-transfer-intra',
    )
    const grouped = slos.flatMap(({ indicators }) =>
      indicators.flatMap((one) => (one.kind === 'requests' && one.groupBy.length > 0 ? [one] : [])),
    )
    expect(grouped).toMatchObject([{ groupBy: [{ name: 'region' }] }])
    expect(grouped[0]?.groupsMax).toBeGreaterThan(new Set(BRANCHES.map(({ region }) => region)).size)
    expect(slos.filter(({ window }) => window.kind === 'calendar')).toMatchObject([
      { window: { unit: 'month', timeZone: 'Asia/Shanghai' } },
    ])
  })
  test('services that the demo has', () => {
    const named = objects.flatMap((object) => (object.kind === 'Service' ? [object.metadata.name] : []))
    expect(named.toSorted()).toEqual([...SERVICES].toSorted())
    expect(slos.filter(({ service }) => !named.includes(service))).toEqual([])
  })
})
