// OpenSLO and Sloth as the registry takes them.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { buildOpenSloParser } from './document-parser.ts'
import { readDocuments } from './documents.ts'

const parser = buildOpenSloParser({ isStrict: true })
const example = (file: string) => readFileSync(new URL(`../../deploy/slos/${file}`, import.meta.url), 'utf8')
const sourcesOf = (...texts: string[]) =>
  texts.flatMap((text, index) => readDocuments(text, `${index}.yaml`).sources)
const nothing = () => undefined

test.each([
  [{ apiVersion: 'openslo/v1' }, true],
  [{ apiVersion: 'openslo/v1alpha' }, true],
  [{ apiVersion: 'openslo.com/v2alpha' }, true],
  // Claimed, so that the mistake is told here.
  [{ apiVersion: 'openslo/v3' }, true],
  [{ apiVersion: 'sloth.slok.dev/v1' }, true],
  [{ version: 'prometheus/v1' }, true],
  [{ apiVersion: 'surety/v1', kind: 'System' }, false],
  [{}, false],
])('%j is claimed: %s', (document, isClaimed) => {
  expect(parser.claims(document)).toBe(isClaimed)
})

describe('objects of the registry', () => {
  const { objects, problems } = parser.parse(
    sourcesOf(example('services.yaml'), example('availability.yaml')),
    nothing,
  )
  test('are there with kind, place, references and the fingerprint of their question', () => {
    expect(problems).toEqual([])
    expect(objects.find(({ kind, name }) => kind === 'service' && name === 'transfer')).toMatchObject({
      isPartial: true,
      spec: { description: 'Transfers' },
    })
    expect(objects.find(({ name }) => name === 'transfer-availability')).toMatchObject({
      kind: 'slo',
      place: { service: 'transfer' },
      references: [],
      metadata: { displayName: 'Transfers available' },
      question: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
  })
  test('refer to what they name', () => {
    const policy = readFileSync(
      new URL(
        '../../test/fixtures/openslo/sdk-test-data/inline/inputs/v1_alert_policies_keep_refs.yaml',
        import.meta.url,
      ),
      'utf8',
    )
    const kept = parser.parse(sourcesOf(policy), nothing).objects.find(({ kind }) => kind === 'alert-policy')
    expect(kept?.references).toContainEqual({
      kind: 'alert-condition',
      name: 'cpu-usage-breach',
      path: 'spec.conditions[0].conditionRef',
    })
  })
})

test('a target changes no question; what is counted, and in which slices, does', () => {
  const question = (change: (text: string) => string) =>
    parser.parse(sourcesOf(change(example('calendar-month.yaml'))), nothing).objects[0]?.question
  const before = question((text) => text)
  expect(before).toBeDefined()
  expect(question((text) => text.replace('target: 0.995', 'targetPercent: 99'))).toBe(before)
  expect(question((text) => text.replace('[ok, business_reject]', '[business_reject, ok]'))).toBe(before)
  expect(question((text) => text.replace('service: mobile-bff }', 'service: gateway }'))).not.toBe(before)
  expect(question((text) => text.replace('spec:', '  annotations: { surety/step: 10s }\nspec:'))).not.toBe(
    before,
  )
})

test('what is kept is referred to, with what it says', () => {
  const text = example('calendar-month.yaml').replace(
    / {2}indicator:[\s\S]*? {2}timeWindow:/,
    '  indicatorRef: kept\n  timeWindow:',
  )
  expect(parser.parse(sourcesOf(text), nothing).problems.map(({ code }) => code)).toEqual(['dangling'])
  const kept = (kind: string, name: string) =>
    kind === 'sli' && name === 'kept'
      ? {
          metadata: {},
          spec: {
            ratioMetric: {
              good: { metricSource: { type: 'Surety', spec: { outcomes: ['ok'] } } },
              total: { metricSource: { type: 'Surety', spec: { signal: 'requests' } } },
            },
          },
        }
      : undefined
  const { objects, problems } = parser.parse(sourcesOf(text), kept)
  expect(problems).toEqual([])
  expect(objects[0]).toMatchObject({ references: [{ kind: 'sli', name: 'kept', path: 'spec.indicatorRef' }] })
  expect(objects[0]?.question).toBeDefined()
})
