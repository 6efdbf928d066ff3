// The documents of OpenSLO's specification, SDK and validator: accepted and refused as their own tools do, in strict mode.
// They lie beside the project (../shared/data/openslo, Apache-2.0); a slice of them is in test/fixtures/openslo.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readOpenSlo } from './read.ts'

const FIXTURES = new URL('../../test/fixtures/openslo/', import.meta.url)
const WHOLE = new URL('../../../shared/data/openslo/', import.meta.url)

type Case = {
  readonly file: string
  readonly refused: readonly string[]
  readonly lenient?: readonly string[]
}
// `refused`: what strict mode tells, as go-sdk v0.9.2 does; `lenient` when that differs.
const OP_ON_RATIO = 'forbidden spec.objectives[0].op'
const CASES: readonly Case[] = [
  { file: 'sdk-examples-v1/services.yaml', refused: [] },
  { file: 'sdk-examples-v1/slis.yaml', refused: [] },
  { file: 'sdk-examples-v1/slos.yaml', refused: [OP_ON_RATIO], lenient: [] },
  { file: 'sdk-examples-v1/data_sources.yaml', refused: [] },
  { file: 'sdk-examples-v1/alert_conditions.yaml', refused: [] },
  { file: 'sdk-examples-v1/alert_policies.yaml', refused: [] },
  { file: 'sdk-examples-v1/alert_notification_targets.yaml', refused: [] },
  { file: 'sdk-test-data/decode/single_object.yaml', refused: [] },
  { file: 'sdk-test-data/decode/single_object.json', refused: [] },
  { file: 'sdk-test-data/decode/two_documents.yaml', refused: [] },
  { file: 'sdk-test-data/decode/sequence_of_objects.yaml', refused: [] },
  { file: 'sdk-test-data/decode/sequence_of_objects.json', refused: [] },
  {
    file: 'validate/inputs/v1.yaml',
    refused: [OP_ON_RATIO, 'invalid metadata.name'],
    lenient: ['invalid metadata.name'],
  },
  { file: 'validate/inputs/mix/2.yaml', refused: ['invalid metadata.name'] },
  { file: 'validate/inputs/recursive/1.yaml', refused: ['invalid metadata.name'] },
  { file: 'validate/inputs/invalid-apiversion.yaml', refused: ['version apiVersion'] },
  { file: 'validate/inputs/unknown-field.yaml', refused: ['invalid metadata.name', 'unknown-field'] },
]

const errors = (text: string, isStrict: boolean) =>
  readOpenSlo([{ file: '', text }], { isStrict, isWhole: false })
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ code, path }) => `${code} ${path}`)

describe.each(CASES)('$file', ({ file, refused, lenient = refused }) => {
  const path = [new URL(file, FIXTURES), new URL(file, WHOLE)].find((one) => existsSync(one))
  test.skipIf(path === undefined)('is taken or refused as the SDK does', () => {
    const text = readFileSync(path as URL, 'utf8')
    const fits = (told: readonly string[], want: readonly string[]) => {
      expect(told).toHaveLength(want.length)
      want.forEach((one, index) => expect(told[index]).toContain(one))
    }
    fits(errors(text, true), refused)
    fits(errors(text, false), lenient)
  })
})

describe('the four official examples', () => {
  const names = [
    'budgeting-method/occurences-slo',
    'budgeting-method/ratio-timeslices',
    'budgeting-method/timeslices-slo',
    'treat-low-traffic-as-equally-important/timeslices-slo',
  ]
  test.each(names)('%s: lenient mode takes it, each op on a ratio is one warning', (name) => {
    const path = [FIXTURES, WHOLE]
      .map((base) => new URL(`spec-examples/${name}.yaml`, base))
      .find((one) => existsSync(one))
    if (path === undefined) throw new Error(`${name} is in neither place`)
    const text = readFileSync(path, 'utf8')
    const { objects, problems } = readOpenSlo([{ file: name, text }], { isWhole: false })
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(objects.length).toBeGreaterThan(0)
    const ops = text.match(/^\s+(?:- )?op: /gm)?.length ?? 0
    expect(problems.filter(({ code }) => code === 'forbidden')).toHaveLength(
      /thresholdMetric/.test(text) ? 0 : ops,
    )
  })
})
