// `surety simulate`: how right the correlation engine is, on a simulated bank whose truth is known. The simulator lives with the
// tests and is loaded from there, so that nothing of it is part of what runs in production.

import { existsSync } from 'node:fs'
import { CommandError } from './api-client.ts'

export const SIMULATE_HELP = `surety simulate [--world W] [--seeds 1-20] [--days N] [--report DIR] [--no-baselines] [--degraded]

Draws incidents and fault-free days of a simulated bank, lets the engine and the baselines explain them and prints
tables: precision, recall, AC@1, AC@3, false blames, time to verdict, calibration, by class.

  --world       name of a world of test/simulator/worlds, default bank, or a file of your own
  --seeds       first-last, default 1-20; eleven incidents each. Seeds to 60 are for development
  --days        fault-free days of each seed, default 2
  --report      directory for report.md and report.json, written again every few seeds
  --no-baselines  the engine alone
  --degraded    once more with 10 % of the traces, skewed clocks, missing events

The same seeds give the same tables. It needs a clone of the project: the simulator is not part of an image.`

export const SIMULATE_OPTIONS = {
  world: { type: 'string' },
  seeds: { type: 'string' },
  days: { type: 'string' },
  report: { type: 'string' },
  'no-baselines': { type: 'boolean' },
  degraded: { type: 'boolean' },
} as const

type Values = Readonly<Record<string, string | boolean | undefined>>

/** What this command needs of the simulator; the two are held together by test/simulator/simulator.test.ts. */
type Simulator = {
  readonly simulate: (options: {
    readonly world: string
    readonly seeds: readonly number[]
    readonly daysPerSeed: number
    readonly hasBaselines: boolean
    readonly hasDegradations: boolean
    readonly say: (text: string) => void
    readonly keep?: (simulation: unknown) => void
  }) => Promise<unknown>
  readonly writeReport: (folder: string, simulation: unknown) => void
  readonly markdownOf: (simulation: unknown) => string
}

export async function simulateCommand(values: Values): Promise<number> {
  const seeds = seedsOf(text(values, 'seeds', '1-20'))
  const days = Number(text(values, 'days', '2'))
  if (!Number.isInteger(days) || days < 0 || days > 100)
    throw new CommandError(`--days ${text(values, 'days', '')}: must be a whole number from 0 to 100`)
  const file = new URL('../test/simulator/simulate.ts', import.meta.url)
  if (!existsSync(file))
    throw new CommandError(
      'The simulator is not here: it is part of the source, not of an image. Run «npm run surety -- simulate» in a clone.',
    )
  const { simulate, writeReport, markdownOf } = (await import(file.href)) as Simulator
  const folder = values['report']
  const simulation = await simulate({
    world: text(values, 'world', 'bank'),
    seeds,
    daysPerSeed: days,
    hasBaselines: values['no-baselines'] !== true,
    hasDegradations: values['degraded'] === true,
    say: (line) => console.error(line),
    ...(typeof folder === 'string' ? { keep: (known: unknown) => writeReport(folder, known) } : {}),
  })
  if (typeof folder === 'string') {
    writeReport(folder, simulation)
    console.error(`report.md and report.json are in ${folder}`)
  }
  console.log(markdownOf(simulation))
  return 0
}

const text = (values: Values, name: string, fallback: string): string => {
  const value = values[name]
  return typeof value === 'string' ? value : fallback
}

/** @throws CommandError unless it is «first-last» or one number, from 1 to 10,000 */
export function seedsOf(words: string): number[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(words)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (!(first >= 1 && last >= first && last <= 10_000))
    throw new CommandError(`--seeds ${words}: must be a number or «first-last», from 1 to 10000`)
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
