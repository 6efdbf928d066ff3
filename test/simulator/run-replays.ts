// `node test/simulator/run-replays.ts --classes R1,F1 --seeds 1-3`: incidents recorded and replayed, each beside the truth and beside
// what the engine says of the same draws without a store.

import { parseArgs } from 'node:util'
import { seedsOf } from '../../deploy/simulate-command.ts'
import { replayIncident } from './replay-incident.ts'
import { INCIDENT_CLASSES } from './world.ts'

const BEFORE_MINUTES = 20
const AFTER_MINUTES = 8

const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'village' },
    classes: { type: 'string', default: 'R1,R2,R5,R6,F1,F2' },
    seeds: { type: 'string', default: '1-3' },
  },
})
const kinds = values.classes.split(',').flatMap((name) => INCIDENT_CLASSES.filter((kind) => kind === name))
let [same, all] = [0, 0]
for (const kind of kinds)
  for (const seed of seedsOf(values.seeds)) {
    const world = new URL(`worlds/${values.world}.json`, import.meta.url)
    const { traces, seconds, truth, replayed, drawn } = await replayIncident({
      world,
      kind,
      seed,
      minutesBefore: BEFORE_MINUTES,
      minutesAfter: AFTER_MINUTES,
    })
    const isSame = replayed.verdict === drawn.verdict && replayed.named === drawn.named
    all += 1
    if (isSame) same += 1
    console.log(
      `${kind} seed ${String(seed).padStart(2)}: truth ${truth.join(' + ') || 'no release'} · replay ${replayed.verdict} ${replayed.named} · draws ${drawn.verdict} ${drawn.named} · ${isSame ? 'same' : 'DIFFERENT'} · ${String(traces)} traces, ${seconds.toFixed(1)} s`,
    )
  }
console.log(`${String(same)} of ${String(all)} the same`)
