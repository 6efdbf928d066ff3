// CDEvents 0.4.x and 0.5.x → release steps. The standard says of a service event only service, environment and artifact; everything
// else (weight, scope, order, parameters) comes in `customData`, whose vocabulary is in custom-data.ts.
// Source: cdevents/spec v0.4.1 and v0.5.1, continuous-deployment.md, continuous-operations.md.

import type { ReleaseStep, StepKind } from '../../records/release-step.ts'
import { isObject, member } from '../../pipeline/json-text.ts'
import { purlVersion } from '../purl.ts'
import { stepKind, toldFacts, withoutAbsent } from './custom-data.ts'
import { buildStep, told, type StepDraft, type StepEvent } from './step-draft.ts'

const STANDARD = /^dev\.cdevents\.([a-z]+)\.([a-z]+)(?:\.|$)/
const CUSTOM = /^dev\.cdeventsx\.[a-z0-9]+-([a-z]+)\.([a-z]+)(?:\.|$)/i
/** Subjects of custom events that can be a release's. */
const CUSTOM_SUBJECTS = new Set(['release', 'rollout', 'deployment', 'service', 'gate', 'canary', 'order'])
/** Standard subjects that belong to a release and change nothing of it. */
const NOTED = new Set(['change', 'approval', 'ticket', 'incident'])

/** @param value the CDEvent, parsed @returns undefined when its type tells of no release */
export function cdEventStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const type = told(value, 'context.type') || event.type
  const facts = toldFacts(member(value, 'customData'))
  const [, subject = '', predicate = ''] = STANDARD.exec(type) ?? []
  const draft =
    subject === 'service'
      ? serviceDraft(value, predicate, facts)
      : subject === 'environment'
        ? environmentDraft(value, predicate)
        : subject === 'pipelinerun'
          ? pipelineDraft(value, predicate, facts.service !== undefined)
          : subject === 'artifact' && predicate === 'published'
            ? artifactDraft(value)
            : NOTED.has(subject)
              ? notedDraft(value, subject, predicate)
              : customDraft(type, value, facts)
  if (draft === undefined) return undefined
  return buildStep(event, {
    ...withoutAbsent({ ...common(value), ...withoutAbsent(draft) }),
    ...facts,
    tool: 'cdevents',
    kind: facts.kind ?? draft.kind,
  })
}

type Draft = Omit<StepDraft, 'tool'>

/** Of any event: chain and artifact. */
function common(value: unknown): Partial<Draft> {
  const artifact = told(value, 'subject.content.artifactId')
  return { releaseKey: told(value, 'context.chainId'), artifact, versionTo: versionOf(artifact) }
}

// Telemetry says 2.4.1 and not sha256:0b31…, so a digest is the last resort.
function versionOf(artifact: string): string {
  const { readable, digest } = purlVersion(artifact)
  return readable !== '' ? readable : digest
}

// That a version serves somebody is a step of a gray release; that it serves, without a word of whom, is that it is ready.
function serviceDraft(
  value: unknown,
  predicate: string,
  facts: ReturnType<typeof toldFacts>,
): Draft | undefined {
  const kinds: Readonly<Record<string, StepKind>> = {
    deployed:
      facts.scope === undefined || isWhole(facts.scope.weightPercent, facts.scope.selectors)
        ? 'ready'
        : 'step',
    upgraded:
      facts.scope === undefined || isWhole(facts.scope.weightPercent, facts.scope.selectors)
        ? 'ready'
        : 'step',
    published: 'ready',
    rolledback: 'rolled_back',
    removed: 'removed',
  }
  const kind = Object.hasOwn(kinds, predicate) ? kinds[predicate] : undefined
  if (kind === undefined) return undefined
  return {
    kind,
    service: told(value, 'subject.id'),
    environment: told(value, 'subject.content.environment.id'),
  }
}

const isWhole = (weightPercent: number | undefined, selectors: readonly unknown[]) =>
  selectors.length === 0 && (weightPercent ?? 100) >= 100

function environmentDraft(value: unknown, predicate: string): Draft | undefined {
  if (!['created', 'modified', 'deleted'].includes(predicate)) return undefined
  const id = told(value, 'subject.id')
  return {
    kind: predicate === 'deleted' ? 'removed' : 'completed',
    changeType: 'infra',
    target: told(value, 'subject.content.name') || id,
    environment: id,
  }
}

// A run of a pipeline tells of a release only where its sender says of which service; else it belongs to one by its chain.
function pipelineDraft(value: unknown, predicate: string, isOfService: boolean): Draft {
  const outcome = told(value, 'subject.content.outcome')
  const kind: StepKind | undefined =
    predicate === 'finished' ? (stepKind(outcome) ?? 'completed') : stepKind(predicate)
  return {
    kind: isOfService ? (kind ?? 'noted') : 'noted',
    pipeline: told(
      value,
      'subject.content.uri',
      'subject.content.url',
      'subject.content.pipelineName',
      'subject.id',
    ),
    ...pointing(value),
    description: saidOf('pipelinerun', predicate, outcome, told(value, 'subject.content.errors')),
  }
}

function artifactDraft(value: unknown): Draft {
  const artifact = told(value, 'subject.id')
  return {
    kind: 'noted',
    artifact,
    versionTo: versionOf(artifact),
    ...pointing(value),
    actor: told(value, 'subject.content.user'),
    description: saidOf('artifact', 'published'),
  }
}

/** In a chain the chain is its key; else the event that it points to is, which may be one of its release's. */
function pointing(value: unknown): Partial<Draft> {
  if (told(value, 'context.chainId') !== '') return {}
  const links = member(value, 'context', 'links')
  const ends = Array.isArray(links)
    ? links.map((link) => told(link, 'target.contextId', 'from.contextId'))
    : []
  return { releaseKey: ends.find((end) => end !== '') }
}

/** What happened in the standard's words, and what was said of it: «ticket created: …». */
const saidOf = (subject: string, predicate: string, ...more: readonly string[]) =>
  [`${subject} ${predicate}`, ...more.filter((text) => text !== '')].join(': ')

function notedDraft(value: unknown, subject: string, predicate: string): Draft {
  const id = told(value, 'subject.id')
  return {
    kind: 'noted',
    service: told(value, 'subject.content.service.id'),
    environment: told(value, 'subject.content.environment.id'),
    ticket: subject === 'incident' ? '' : id,
    ...pointing(value),
    actor: told(
      value,
      'subject.content.updatedBy',
      'subject.content.approver',
      'subject.content.creator',
      'subject.content.user',
    ),
    description: saidOf(
      subject,
      predicate,
      told(value, 'subject.content.description', 'subject.content.summary'),
    ),
  }
}

/** A custom event is a step when its subject can be a release's and its predicate, or the data's phase, is a kind of step. */
function customDraft(type: string, value: unknown, facts: ReturnType<typeof toldFacts>): Draft | undefined {
  const [, subject = '', predicate = ''] = CUSTOM.exec(type) ?? []
  if (NOTED.has(subject.toLowerCase())) return notedDraft(value, subject.toLowerCase(), predicate)
  if (!CUSTOM_SUBJECTS.has(subject.toLowerCase())) return undefined
  const kind = facts.kind ?? stepKind(predicate)
  return kind === undefined ? undefined : { kind, service: facts.service }
}

/** Whether a JSON value is a CDEvent. */
export const isCdEvent = (value: unknown): boolean => isObject(value) && isObject(member(value, 'context'))
