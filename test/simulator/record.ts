// `node test/simulator/record.ts --world village --class R1 --seed 1 --out DIR`: an incident as a directory for «surety replay»: spans as
// length-delimited ExportTraceServiceRequests, what tools told as CDEvents, the alarm; and beside it, for nobody but the reader, the truth.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { varint } from '../support/otlp.ts'
import type { Fault } from '../../query/blame/case.ts'
import { ANYWHERE } from '../../query/faults/alarm.ts'
import { makeIncident } from './incidents.ts'
import { otlpOf } from './otlp.ts'
import { MINUTE_MS } from './rollouts.ts'
import type { Scenario } from './scenario.ts'
import { Stream, type RequestGroup } from './stream.ts'
import { tell } from './told.ts'
import { INCIDENT_CLASSES, loadWorld, type IncidentClass } from './world.ts'

export type RecordOptions = {
  readonly world: string | URL
  readonly kind: IncidentClass
  readonly seed: number
  readonly minutesBefore: number
  readonly minutesAfter: number
}

export type Recorded = {
  readonly traces: number
  readonly fault: Fault
  readonly scenario: Scenario
  /** What was drawn, for whoever looks at it without a store. */
  readonly stream: Stream
  readonly steps: readonly ReleaseStep[]
}

export function record(folder: string, options: RecordOptions): Recorded {
  const world = loadWorld(options.world)
  const scenario = makeIncident(world, options.seed, 0, options.kind)
  const onset = Math.floor(scenario.truth.onsetMs / MINUTE_MS)
  const groups: RequestGroup[] = []
  const stream = new Stream({
    world,
    seed: [...scenario.seed, 1],
    fromMinute: onset - options.minutesBefore,
    releases: scenario.releases,
    effects: scenario.effects,
    traffic: scenario.traffic,
    rejects: scenario.rejects,
    onGroup: (group) => groups.push(group),
  })
  stream.drawUntil(onset + options.minutesAfter)
  mkdirSync(folder, { recursive: true })
  const messages = [...otlpOf(stream, groups)].flatMap(({ bytes }) => [varint(bytes.length), bytes])
  writeFileSync(join(folder, 'spans.otlp.pb'), Buffer.concat(messages))
  const { steps } = tell(world, scenario.releases, scenario.seed)
  const from = (onset - options.minutesBefore) * MINUTE_MS
  const told = steps
    .filter(({ receivedAt }) => receivedAt >= from && receivedAt < (onset + options.minutesAfter) * MINUTE_MS)
    .toSorted((a, b) => a.receivedAt - b.receivedAt)
  writeFileSync(
    join(folder, 'events.jsonl'),
    told.map((step) => `${JSON.stringify(cloudEvent(step))}\n`).join(''),
  )
  const hit = stream.bad.find(({ isOfEffect, isTrace, minute }) => isOfEffect && isTrace && minute >= onset)
  const entry = world.entries[hit?.entry ?? 0]
  const alarmAtMs = ((hit?.minute ?? onset) + 2) * MINUTE_MS
  const { service = '', operation = '' } = entry ?? {}
  const measure = hit?.outcome === 'slow' ? 'latency' : 'errors'
  writeFileSync(
    join(folder, 'faults.jsonl'),
    `${JSON.stringify({ at: new Date(alarmAtMs).toISOString(), service, operation, measure })}\n`,
  )
  const culprits = scenario.releases.filter(({ key }) => scenario.truth.culprits.includes(key))
  writeFileSync(
    join(folder, 'truth.json'),
    `${JSON.stringify({
      ...scenario.truth,
      culprits: culprits.map((release) => ({
        service: world.services[release.service]?.name,
        versionTo: release.versionTo,
      })),
    })}\n`,
  )
  return {
    traces: groups.reduce((sum, { count }) => sum + count, 0),
    fault: {
      id: `${new Date(alarmAtMs).toISOString()} ${service} ${operation}`,
      origin: 'external',
      name: '',
      measure,
      place: { ...ANYWHERE, service, operation },
      alarmAtMs,
      endedAtMs: undefined,
    },
    scenario,
    stream,
    steps: told,
  }
}

/** A CDEvent as a structured CloudEvent, what it has no field for in customData. */
function cloudEvent(step: ReleaseStep): Record<string, unknown> {
  const type = `dev.cdevents.service.${step.kind === 'rolled_back' ? 'rolledback' : step.kind === 'completed' ? 'upgraded' : 'deployed'}.0.2.0`
  const timestamp = new Date(step.at).toISOString()
  return {
    specversion: '1.0',
    id: step.eventId,
    source: step.source,
    type,
    subject: step.service,
    time: timestamp,
    datacontenttype: 'application/json',
    data: {
      context: {
        version: '0.4.1',
        id: step.eventId,
        source: step.source,
        type,
        timestamp,
        chainId: step.releaseKey,
      },
      subject: {
        id: step.service,
        type: 'service',
        content: {
          environment: { id: 'production' },
          artifactId: `pkg:oci/${step.service}@${step.versionTo || step.configHash}`,
        },
      },
      customData: {
        phase: step.kind,
        version: step.versionTo || step.configHash,
        changeType: step.changeType,
        configHash: step.configHash,
        order: step.orderId,
        exposure: { weight: step.scope.weightPercent, scope: step.scope },
        parameters: step.parameters,
      },
    },
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      world: { type: 'string', default: 'village' },
      class: { type: 'string', default: 'R1' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  })
  const kind = INCIDENT_CLASSES.find((name) => name === values.class)
  if (values.out === undefined || kind === undefined) {
    console.error(`--out DIR and --class of ${INCIDENT_CLASSES.join(', ')} are needed.`)
    process.exit(2)
  }
  const { traces, fault } = record(values.out, {
    world: new URL(`worlds/${values.world}.json`, import.meta.url),
    kind,
    seed: Number(values.seed),
    minutesBefore: 40,
    minutesAfter: 20,
  })
  console.log(`${String(traces)} traces, alarm at ${new Date(fault.alarmAtMs).toISOString()}: ${values.out}`)
}
