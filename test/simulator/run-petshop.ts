// `node test/simulator/run-petshop.ts DIR`: the engine on the PetShop faults.

import { loadEngine } from './engine.ts'
import { runPetShop } from './petshop.ts'

const { outcomes, days } = runPetShop(
  process.argv[2] ?? new URL('../../../shared/data/petshop', import.meta.url).pathname,
  await loadEngine(),
)
for (const kind of ['deploy', 'config', 'load']) {
  const mine = outcomes.filter(({ changeType }) => changeType === kind)
  const verdicts = [...Map.groupBy(mine, ({ verdict }) => verdict)].map(
    ([verdict, list]) => `${verdict} ${String(list.length)}`,
  )
  const within = (rank: number) => String(mine.filter((outcome) => outcome.rank <= rank).length)
  console.log(
    kind === 'load'
      ? `load    ${String(mine.length)} faults that no change made: ${verdicts.join(', ')}`
      : `${kind.padEnd(7)} ${String(mine.length)} faults: first ${within(1)}, of the first three ${within(3)}; ${verdicts.join(', ')}`,
  )
}
console.log(
  `without faults: ${days.hours.toFixed(0)} h with ${String(days.releases)} innocent releases, ${String(days.alarms)} alarms, ${String(days.blames)} blames`,
)
