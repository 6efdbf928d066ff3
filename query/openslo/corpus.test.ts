// The documents of OpenSLO's specification, SDK and validator: in strict mode each is taken or refused as their own tools do, and
// for the same reasons. A slice lies in test/fixtures/openslo; where the whole lies beside the project, all of it is read.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readSlos } from './bundle.ts'
import { readOpenSlo } from './read.ts'

const FIXTURES = new URL('../../test/fixtures/openslo/', import.meta.url)
const WHOLE = new URL('../../../shared/data/openslo/', import.meta.url)

const NAME = 'metadata.name'
const OP = 'spec.objectives[0].op'
const WINDOW = 'spec.timeWindow'

/**
 * Paths of what upstream refuses: go-sdk v0.9.2 by its Validate, oslo by its golden outputs. `note` says where upstream's own
 * words are another matter.
 */
const UPSTREAM: Readonly<
  Record<string, readonly string[] | { readonly refused: readonly string[]; readonly note: string }>
> = {
  'spec-examples/budgeting-method/occurences-slo.yaml': [],
  'spec-examples/budgeting-method/ratio-timeslices.yaml': [OP],
  'spec-examples/budgeting-method/timeslices-slo.yaml': [OP],
  'spec-examples/treat-low-traffic-as-equally-important/timeslices-slo.yaml': [OP],
  'sdk-examples-v1/alert_conditions.yaml': [],
  'sdk-examples-v1/alert_notification_targets.yaml': [],
  'sdk-examples-v1/alert_policies.yaml': [],
  'sdk-examples-v1/data_sources.yaml': [],
  'sdk-examples-v1/services.yaml': [],
  'sdk-examples-v1/slis.yaml': [],
  'sdk-examples-v1/slos.yaml': [OP],
  'sdk-test-data/decode/sequence_of_objects.json': [],
  'sdk-test-data/decode/sequence_of_objects.yaml': [],
  'sdk-test-data/decode/single_object.json': [],
  'sdk-test-data/decode/single_object.yaml': [],
  'sdk-test-data/decode/two_documents.yaml': [],
  'sdk-test-data/decode/v1_slos.yaml': {
    refused: [WINDOW],
    note: 'the SDK’s test decodes it and does not validate',
  },
  'sdk-test-data/decode/v2alpha_data_source.yaml': {
    refused: [NAME],
    note: 'the SDK’s test decodes it and does not validate',
  },
  'sdk-test-data/decode/v2alpha_slos.yaml': {
    refused: ['spec.budgetingMethod', 'spec.budgetingMethod', 'spec.objectives'],
    note: 'decoded only; Validate refuses the windows that are missing, too, and takes an empty list of objectives, of which nothing can be promised',
  },
  'sdk-test-data/encode/v1_slo.json': {
    refused: [WINDOW],
    note: 'made by the SDK’s test without validation',
  },
  'sdk-test-data/encode/v1_slo.yaml': {
    refused: [WINDOW],
    note: 'made by the SDK’s test without validation',
  },
  ...Object.fromEntries(
    ['inputs', 'outputs'].flatMap((side) =>
      ['custom_config', 'v1_alert_policies', 'v1_slo'].map((name) => [
        `sdk-test-data/export/${side}/${name}.yaml`,
        [],
      ]),
    ),
  ),
  ...Object.fromEntries(
    ['custom_config', 'v1_alert_policies_keep_refs', 'v1_alert_policies_remove_refs', 'v1_slo'].flatMap(
      (name) => ['inputs', 'outputs'].map((side) => [`sdk-test-data/inline/${side}/${name}.yaml`, []]),
    ),
  ),
  ...Object.fromEntries(
    [
      'alert_policies_invalid_condition',
      'alert_policies_invalid_target',
      'slo_invalid_policy',
      'slo_invalid_sli',
      'slo_invalid_target',
    ].map((name) => [`sdk-test-data/inline/inputs/v1_${name}.yaml`, []]),
  ),
  'validate/inputs/invalid-apiversion.yaml': ['apiVersion'],
  'validate/inputs/unknown-field.yaml': {
    refused: [NAME, 'spec.markdown'],
    note: 'oslo stops at the unknown field; here all is told together',
  },
  'validate/inputs/v1.yaml': {
    refused: [OP, NAME],
    note: 'oslo’s golden output also calls America/New_York unknown: it was made on a machine without zones',
  },
  'validate/inputs/v1alpha.yaml': [NAME, 'spec.objectives[0].value', 'spec.objectives[0].timeSliceTarget'],
  'validate/inputs/v2alpha.yaml': { refused: [OP, NAME], note: 'zone as in v1.yaml' },
  'validate/inputs/mix/1.yaml': [NAME],
  'validate/inputs/mix/2.yaml': [NAME],
  'validate/inputs/mix/3.yaml': [NAME],
  'validate/inputs/recursive/1.yaml': [NAME],
  'validate/inputs/recursive/nested/2.yaml': [NAME],
  'validate/inputs/recursive/nested/nested2/nested3/3.yaml': [NAME],
}

const isDocument = (name: string) => /\.(?:ya?ml|json)$/.test(name)
const filesOf = (root: URL) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isDocument).toSorted()
const read = (root: URL, file: string) => ({ file, text: readFileSync(new URL(file, root), 'utf8') })

const roots = [
  { name: 'the slice in the project', root: FIXTURES, isWhole: false },
  { name: 'the whole corpus', root: WHOLE, isWhole: true },
].filter(({ root }) => existsSync(fileURLToPath(root)))

describe.each(roots)('1.1 $name', ({ root, isWhole }) => {
  test('has a verdict for every file', () => {
    const known = Object.keys(UPSTREAM).toSorted()
    const files = filesOf(root)
    expect(files.filter((file) => !known.includes(file))).toEqual([])
    if (isWhole) expect(files).toEqual(known)
  })

  test.each(filesOf(root))('%s is taken or refused in strict mode as upstream does', (file) => {
    const verdict = UPSTREAM[file] ?? []
    const refused = 'refused' in verdict ? verdict.refused : verdict
    const { objects, problems } = readOpenSlo([read(root, file)], { isStrict: true, isWhole: false })
    const errors = problems.filter(({ severity }) => severity === 'error')
    expect(errors.map(({ path }) => path)).toEqual(refused)
    expect(objects.length > 0).toBe(refused.length === 0)
  })
})

describe('1.2 the four official examples, lenient', () => {
  test.each(filesOf(new URL('spec-examples/', FIXTURES)))(
    '%s is taken; each op on a ratio is one warning with its path',
    (file) => {
      const given = read(new URL('spec-examples/', FIXTURES), file)
      const { objects, problems } = readSlos([given])
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(objects).toHaveLength(1)
      const ops = given.text.includes('thresholdMetric') ? 0 : (given.text.match(/\bop: /g)?.length ?? 0)
      const told = problems.filter(({ code }) => code === 'forbidden')
      expect(told.map(({ severity, path }) => [severity, path])).toEqual(
        Array.from({ length: ops }, (_, index) => ['warning', `spec.objectives[${index}].op`]),
      )
      // What is kept is good v1.
      expect(JSON.stringify(objects)).not.toContain(ops > 0 ? '"op"' : '"none"')
    },
  )
})

test('1.7 the official example that says month and writes 1m is asked about', () => {
  const { problems } = readSlos([read(FIXTURES, 'spec-examples/budgeting-method/timeslices-slo.yaml')])
  expect(problems.find(({ code }) => code === 'minute-for-month')?.remedy).toContain('did you mean M')
})

describe('1.12 references of the SDK’s inliner', () => {
  test.each([
    ['v1_alert_policies_invalid_condition', 'spec.conditions[0].conditionRef'],
    ['v1_alert_policies_invalid_target', 'spec.notificationTargets[1].targetRef'],
    ['v1_slo_invalid_policy', 'spec.alertPolicies[0].alertPolicyRef'],
    ['v1_slo_invalid_sli', 'spec.indicatorRef'],
    ['v1_slo_invalid_target', 'spec.alertPolicies[0].spec.notificationTargets[1].targetRef'],
  ])('%s leads nowhere and refuses the bundle', (name, path) => {
    const { objects, problems } = readOpenSlo([read(FIXTURES, `sdk-test-data/inline/inputs/${name}.yaml`)])
    expect(objects).toEqual([])
    expect(
      problems.filter(({ severity }) => severity === 'error').map((one) => [one.code, one.path]),
    ).toEqual([['dangling', path]])
  })

  test.each(['v1_alert_policies_keep_refs', 'v1_alert_policies_remove_refs', 'v1_slo'])(
    '%s is whole',
    (name) => {
      const { objects } = readOpenSlo([read(FIXTURES, `sdk-test-data/inline/inputs/${name}.yaml`)], {
        isStrict: true,
      })
      expect(objects.length).toBeGreaterThan(0)
    },
  )
})

describe('1.1 where the SDK decides otherwise, and why', () => {
  const slo = (spec: object) => ({
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name: 'a' },
    spec: {
      service: 'a',
      indicatorRef: 'sli',
      timeWindow: [{ duration: '1w', isRolling: true }],
      budgetingMethod: 'RatioTimeslices',
      objectives: [{ target: 0.9, timeSliceWindow: '1m' }],
      ...spec,
    },
  })
  test.each([
    {
      what: 'no objective at all',
      given: slo({ objectives: [] }),
      sdk: true,
      why: 'there is nothing to promise',
    },
    {
      what: 'a window of nothing, 0w',
      given: slo({ timeWindow: [{ duration: '0w', isRolling: true }] }),
      sdk: true,
      why: 'the specification says a positive number',
    },
    {
      what: 'a slice as a bare number of minutes',
      given: slo({ objectives: [{ target: 0.9, timeSliceWindow: 5 }] }),
      sdk: false,
      why: 'the specification allows it',
    },
    {
      what: 'a name with a zero character in its text',
      given: slo({ description: 'a\u0000b' }),
      sdk: true,
      why: 'no database keeps it',
    },
  ])('$what: $why', ({ given, sdk }) => {
    const { objects } = readOpenSlo([{ file: '', text: JSON.stringify(given) }], {
      isStrict: true,
      isWhole: false,
    })
    expect(objects.length > 0).toBe(!sdk)
  })
})
