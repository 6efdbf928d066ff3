// `node test/simulator/run-replays.ts --classes R1,F1 --seeds 1-3`: incidents recorded and replayed, each beside the truth and beside
// what the engine says of the same draws without a store.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Explanation } from '../../query/http/fault-schemas.ts'
import { seedsOf } from '../../deploy/simulate-command.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { loadEngine } from './engine.ts'
import { buildCase } from './fault-case.ts'
import type { Judge } from './judge.ts'
import { record } from './record.ts'
import { MINUTE_MS } from './rollouts.ts'
import { releasesAt } from './told.ts'
import { INCIDENT_CLASSES, type IncidentClass } from './world.ts'

const DECIDE_AFTER_MINUTES = 5
const BEFORE_MINUTES = 40
const AFTER_MINUTES = 12

type Said = { readonly verdict: string; readonly named: string }

const saidOf = ({ verdict, ranked, competing }: Explanation): Said => ({
  verdict,
  named:
    verdict === 'blamed' || verdict === 'suspect'
      ? `${ranked[0]?.service ?? ''} ${ranked[0]?.versionTo ?? ''}`
      : verdict === 'not-a-rollout'
        ? `${competing[0]?.kind ?? ''} ${competing[0]?.name ?? ''}`
        : '',
})

async function compare(engine: Judge, world: string | URL, kind: IncidentClass, seed: number) {
  const folder = mkdtempSync(join(tmpdir(), 'surety-recorded-'))
  try {
    const recorded = record(folder, {
      world,
      kind,
      seed,
      minutesBefore: BEFORE_MINUTES,
      minutesAfter: AFTER_MINUTES,
    })
    const { stream, scenario, fault, steps } = recorded
    const begun = performance.now()
    const after = `${String(DECIDE_AFTER_MINUTES)}m`
    const { code, stdout, stderr } = await spawnSurety(['replay', folder, '--decide-after', after]).ended
    const seconds = (performance.now() - begun) / 1000
    if (code !== 0)
      throw new Error(`${kind} seed ${String(seed)}: replay ended with ${String(code)}: ${stderr}`)
    const replayed = saidOf(JSON.parse(stdout.trim().split('\n')[0] ?? '') as Explanation)
    const nowMs = fault.alarmAtMs + DECIDE_AFTER_MINUTES * MINUTE_MS
    const releases = releasesAt(stream, { steps, missing: new Set() }, nowMs)
    // A recording holds nothing of the day before, and of the platform's own events none.
    const seen = buildCase({ stream, dayBefore: undefined, events: [] }, fault, releases, nowMs)
    const { explanation } = engine.judge(seen)
    if (explanation === undefined) throw new Error('the engine explains')
    const { world: built } = stream
    const truth = scenario.releases
      .filter(({ key }) => scenario.truth.culprits.includes(key))
      .map(({ service, versionTo }) => `${built.services[service]?.name ?? ''} ${versionTo}`)
    return { traces: recorded.traces, seconds, truth, replayed, drawn: saidOf(explanation) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'village' },
    classes: { type: 'string', default: 'R1,R2,R5,R6,F1,F2' },
    seeds: { type: 'string', default: '1-3' },
  },
})
const kinds = values.classes.split(',').flatMap((name) => INCIDENT_CLASSES.filter((kind) => kind === name))
const engine = await loadEngine()
let [same, all] = [0, 0]
for (const kind of kinds)
  for (const seed of seedsOf(values.seeds)) {
    const world = new URL(`worlds/${values.world}.json`, import.meta.url)
    const { traces, seconds, truth, replayed, drawn } = await compare(engine, world, kind, seed)
    const isSame = replayed.verdict === drawn.verdict && replayed.named === drawn.named
    all += 1
    if (isSame) same += 1
    console.log(
      `${kind} seed ${String(seed).padStart(2)}: truth ${truth.join(' + ') || 'no release'} · replay ${replayed.verdict} ${replayed.named} · draws ${drawn.verdict} ${drawn.named} · ${isSame ? 'same' : 'DIFFERENT'} · ${String(traces)} traces, ${seconds.toFixed(1)} s`,
    )
  }
console.log(`${String(same)} of ${String(all)} the same`)
