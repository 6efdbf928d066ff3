// An incident recorded and replayed, beside what the engine says of the same draws without a store, and beside the truth.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Explanation } from '../../query/http/fault-schemas.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { loadEngine } from './engine.ts'
import { buildCase } from './fault-case.ts'
import { record, type RecordOptions } from './record.ts'
import { MINUTE_MS } from './rollouts.ts'
import { releasesAt } from './told.ts'

const DECIDE_AFTER_MINUTES = 5

export type Said = { readonly verdict: string; readonly named: string }

function saidOf({ verdict, ranked, competing }: Explanation): Said {
  const [top] = ranked
  const [cause] = competing
  if (verdict === 'not-a-rollout') return { verdict, named: `${cause?.kind ?? ''} ${cause?.name ?? ''}` }
  if (verdict === 'inconclusive' || top === undefined) return { verdict, named: '' }
  return { verdict, named: nameOf(top.service, top.changeType, top.versionTo) }
}

/** What has no version in traffic is called by its kind: events tell its hash in different places. */
const nameOf = (service: string, changeType: string, version: string) =>
  `${service} ${changeType === 'code' ? version : changeType}`

export type Replayed = {
  readonly traces: number
  /** Of the whole command. */
  readonly seconds: number
  /** Services and versions that did it. */
  readonly truth: readonly string[]
  readonly replayed: Said
  readonly drawn: Said
}

/** @throws Error with what the command wrote when it fails */
export async function replayIncident(options: RecordOptions): Promise<Replayed> {
  const engine = await loadEngine()
  const folder = mkdtempSync(join(tmpdir(), 'surety-recorded-'))
  try {
    const recorded = record(folder, options)
    const { stream, scenario, fault, steps } = recorded
    const begun = performance.now()
    const after = `${String(DECIDE_AFTER_MINUTES)}m`
    const { code, stdout, stderr } = await spawnSurety(['replay', folder, '--decide-after', after]).ended
    const seconds = (performance.now() - begun) / 1000
    if (code !== 0) throw new Error(`replay ended with ${String(code)}: ${stderr}`)
    const replayed = saidOf(JSON.parse(stdout.trim().split('\n')[0] ?? '') as Explanation)
    const nowMs = fault.alarmAtMs + DECIDE_AFTER_MINUTES * MINUTE_MS
    // Of what was released before it began a recording knows nothing.
    const begunMs = stream.fromMinute * MINUTE_MS
    const releases = releasesAt(stream, { steps, missing: new Set() }, nowMs).filter(
      ({ readyAtMs, startedAtMs }) => (readyAtMs ?? startedAtMs) > begunMs,
    )
    // A recording holds nothing of the day before, and of the platform's own events none.
    const seen = buildCase({ stream, dayBefore: undefined, events: [] }, fault, releases, nowMs)
    const { explanation } = engine.judge(seen)
    if (explanation === undefined) throw new Error('the engine explains')
    const { world: built } = stream
    const truth = scenario.releases
      .filter(({ key }) => scenario.truth.culprits.includes(key))
      .map((one) => nameOf(built.services[one.service]?.name ?? '', one.changeType, one.versionTo))
    return { traces: recorded.traces, seconds, truth, replayed, drawn: saidOf(explanation) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
