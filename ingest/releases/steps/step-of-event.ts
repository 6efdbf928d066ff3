// The step that an event tells, if it tells one. A pure function of the stored event: whatever door it came through, whenever it is
// asked, the step is the same.

import type { ReleaseStep } from '../../records/release-step.ts'
import { isObject, member, readJson } from '../../pipeline/json-text.ts'
import { isCdEventType } from '../cd-event.ts'
import { cdEventStep, isCdEvent } from './cd-event-step.ts'
import type { StepEvent } from './step-draft.ts'

/** @returns undefined for events that tell of no release, among them all of unknown types */
export function stepOfEvent(event: StepEvent): ReleaseStep | undefined {
  const json = readJson(Buffer.from(event.body, 'utf8'))
  if (json.kind === 'refused' || !isObject(json.value)) return undefined
  const value = contentOf(json.value)
  if (isCdEventType(event.type) || isCdEvent(value)) return cdEventStep(event, value)
  return undefined
}

/** What travelled: the data of a CloudEvent, else the body itself. */
function contentOf(body: Readonly<Record<string, unknown>>): unknown {
  if (!Object.hasOwn(body, 'specversion')) return body
  const base64 = member(body, 'data_base64')
  if (typeof base64 !== 'string') return member(body, 'data')
  const json = readJson(Buffer.from(base64, 'base64'))
  return json.kind === 'json' ? json.value : undefined
}
