// The SLOs of the registry, ready to be measured and judged: definitions resolved, policies compiled, exclusions at hand.

import { definitionOf } from '../openslo/definition.ts'
import { objectOf, REGISTRY_KINDS } from '../openslo/document-parser.ts'
import type { Resolver } from '../openslo/references.ts'
import type { KindV1, SloV1 } from '../openslo/schema-v1.ts'
import { questionOf, type MeasuredIndicator, type SliceQuestion } from '../measure/question.ts'
import type { ExclusionSpec } from '../registry/kinds/exclusion.ts'
import type { SystemSpec } from '../registry/kinds/systems.ts'
import type { Kind, RegistryObject } from '../registry/object.ts'
import type { Registry } from '../registry/registry.ts'
import type { Exclusion } from '../slo/exclusion.ts'
import { stepMsOf, type Budgeting, type SloDefinition, type SloObjective, type Tier } from '../slo/model.ts'
import { unitMs } from '../slo/budgeting.ts'
import { compilePolicy, type CompiledPolicy } from '../slo/slo-policy.ts'
import { checkPolicy } from '../slo/slo-policy.ts'
import { errorBudgetRatio } from '../slo/error-budget.ts'
import { policyOf } from './policy-of.ts'

/** What one objective, or a composite as a whole, is judged by. */
export type Judged = {
  /** Place of the objective; 0 for a composite as a whole. */
  readonly objective: number
  readonly displayName: string
  readonly compiled: CompiledPolicy
  readonly parts: readonly Part[]
  readonly isComposite: boolean
  /** Of the probe that stands in where there is little traffic. */
  readonly probe: string | undefined
}

export type Part = {
  readonly series: string
  readonly weight: number
  readonly budgetRatio: number
  /** Its own: parts of a composite may ask different things of a time slice. */
  readonly budgeting: Budgeting
}

export type Slo = {
  /** In the registry; never used again. */
  readonly id: number
  readonly name: string
  readonly definition: SloDefinition
  readonly generation: number
  readonly revision: number
  readonly system: string | undefined
  readonly owner: string | undefined
  readonly tier: Tier | undefined
  readonly stepMs: 10_000 | 60_000
  readonly questions: readonly SliceQuestion[]
  readonly judged: readonly Judged[]
  readonly exclusions: readonly Exclusion[]
}

export type Slos = {
  /** By name. */
  readonly slos: ReadonlyMap<string, Slo>
  /** Good OpenSLO that is not measured or cannot be judged here. */
  readonly unmeasured: readonly Unmeasured[]
  /** `Registry.changeNumber` that this was read at. */
  readonly changeNumber: number
}

export type Unmeasured = {
  readonly slo: string
  readonly system: string | undefined
  readonly reasons: readonly string[]
}

const READ: readonly Kind[] = [
  'system',
  'service',
  'exclusion',
  'data-source',
  'sli',
  'alert-condition',
  'alert-notification-target',
  'alert-policy',
  'slo',
]

/** @throws RegistryError */
export async function loadSlos(registry: Registry): Promise<Slos> {
  const changeNumber = await registry.changeNumber()
  const objects = await registry.all(READ)
  const byId = new Map(objects.map((object) => [`${object.kind}/${object.name}`, object]))
  const resolve = ((kind: KindV1, name: string) => {
    const object = byId.get(`${REGISTRY_KINDS[kind]}/${name}`)
    return object === undefined ? undefined : objectOf(kind, name, object)
  }) as Resolver
  const exclusions = objects.filter(({ kind }) => kind === 'exclusion')
  const definitions = new Map<string, { object: RegistryObject; definition: SloDefinition }>()
  const unmeasured: Unmeasured[] = []
  for (const object of objects) {
    if (object.kind !== 'slo') continue
    const reasons: string[] = []
    const document = objectOf('SLO', object.name, object) as SloV1
    const definition = definitionOf(
      document,
      { resolve },
      (_, __, ___, message) => void reasons.push(message),
    )
    if (definition === undefined) unmeasured.push({ slo: object.name, system: object.system, reasons })
    else definitions.set(object.name, { object, definition })
  }
  const slos = new Map<string, Slo>()
  for (const [name, { object, definition }] of definitions) {
    const system = byId.get(`system/${object.system ?? ''}`)
    const built = sloOf(object, definition, system, exclusions, (other) => definitions.get(other)?.definition)
    if ('reasons' in built) unmeasured.push({ slo: name, system: object.system, reasons: built.reasons })
    else slos.set(name, built.slo)
  }
  return { slos, unmeasured, changeNumber }
}

function sloOf(
  object: RegistryObject,
  definition: SloDefinition,
  system: RegistryObject | undefined,
  exclusions: readonly RegistryObject[],
  other: (name: string) => SloDefinition | undefined,
): { readonly slo: Slo } | { readonly reasons: readonly string[] } {
  const systemTier = (system?.spec as Partial<SystemSpec> | undefined)?.tier
  const tier = definition.tier ?? systemTier
  const stepMs = stepMsOf(definition, systemTier)
  const { id, name, generation, revision } = object
  const stepSeconds = stepMs === 10_000 ? 10 : 60
  const questions: SliceQuestion[] = []
  const counted: { readonly series: string; readonly probe: string | undefined }[] = []
  for (const [place, indicator] of definition.indicators.entries()) {
    const measured = indicator.kind === 'slo' ? firstIndicator(other(indicator.slo), other) : indicator
    if (measured === undefined)
      return { reasons: [`objective ${place} is of an SLO that is not measured itself`] }
    const question = questionOf(measured, stepSeconds)
    const probe =
      measured.kind === 'requests' && measured.fallback !== undefined
        ? questionOf(measured.fallback.probe, stepSeconds)
        : undefined
    questions.push(question, ...(probe === undefined ? [] : [probe]))
    counted.push({ series: question.series, probe: probe?.series })
  }
  const part = ({ indicator, weight, targetRatio, budgeting }: SloObjective): Part => ({
    series: counted[indicator]?.series ?? '',
    weight,
    budgetRatio: errorBudgetRatio(targetRatio),
    budgeting,
  })
  const probeOf = (place: number) => counted[place]?.probe
  const { objectives, composite } = definition
  const [first] = objectives
  const reasons: string[] = []
  const compiled = (objective: SloObjective, targetRatio: number) => {
    const policy = policyOf(definition, objective, targetRatio, stepMs, tier)
    reasons.push(...checkPolicy(policy).map(({ place, message }) => `${place}: ${message}`))
    return reasons.length > 0 ? undefined : compilePolicy(policy)
  }
  const judged: Judged[] = []
  if (composite !== undefined && first !== undefined) {
    if (new Set(objectives.map(({ budgeting }) => unitMs(budgeting, stepMs))).size > 1)
      reasons.push('the parts of a composite need time slices of one length')
    const whole = compiled(first, composite.targetRatio)
    if (whole !== undefined)
      judged.push({
        objective: 0,
        displayName: '',
        compiled: whole,
        parts: objectives.map(part),
        isComposite: true,
        probe: undefined,
      })
  } else
    for (const [index, objective] of objectives.entries()) {
      const one = compiled(objective, objective.targetRatio)
      if (one !== undefined)
        judged.push({
          objective: index,
          displayName: objective.displayName,
          compiled: one,
          parts: [part(objective)],
          isComposite: false,
          probe: probeOf(objective.indicator),
        })
    }
  if (reasons.length > 0) return { reasons }
  return {
    slo: {
      id,
      name,
      definition,
      generation,
      revision,
      system: object.system,
      owner: object.owner,
      tier,
      stepMs,
      questions,
      judged,
      exclusions: exclusions.flatMap((one) => exclusionOf(one, object, definition)),
    },
  }
}

/** What another SLO counts, through its own references; circles were refused when it was entered. */
function firstIndicator(
  definition: SloDefinition | undefined,
  other: (name: string) => SloDefinition | undefined,
  depth = 0,
): MeasuredIndicator | undefined {
  const indicator = definition?.indicators[0]
  if (indicator?.kind !== 'slo') return indicator
  return depth > 10 ? undefined : firstIndicator(other(indicator.slo), other, depth + 1)
}

function exclusionOf(
  { name, spec, createdAt }: RegistryObject,
  slo: RegistryObject,
  { service }: SloDefinition,
): Exclusion[] {
  const { appliesTo, reason, approver, ticket, from, to, recurring } = spec as ExclusionSpec
  const fits =
    appliesTo.everything ||
    appliesTo.slos.includes(slo.name) ||
    appliesTo.services.includes(service) ||
    (slo.system !== undefined && appliesTo.systems.includes(slo.system))
  if (!fits) return []
  const said = { id: name, reason, approver, ticket, enteredAtMs: createdAt.getTime() }
  if (recurring !== undefined) {
    const { rrule, start, timeZone, durationSeconds } = recurring
    return [{ ...said, kind: 'recurring', rrule, start, timeZone, durationMs: durationSeconds * 1000 }]
  }
  return [{ ...said, kind: 'once', fromMs: Date.parse(from ?? ''), toMs: Date.parse(to ?? '') }]
}
