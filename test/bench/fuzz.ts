// fuzz: what `npm test` does for half a minute, for as long as there is patience, with another seed each round.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FuzzFailure, fuzzDoors, fuzzMetricDoor, fuzzReleases, fuzzSteps } from '../support/fuzz.ts'
import { openGrpcClient } from '../support/grpc.ts'
import { startSurety } from '../support/surety.ts'
import { BenchFailure, wholeNumber, type Bench } from './bench-definition.ts'

const MINUTES_DEFAULT = 10
const SEED_DEFAULT = 20_261_121
// Of one round; a round ends with its cases or its share of the time.
const ROUND_MS = 60_000
const STEP_CASES = 10_000
const DOOR_CASES = 2000

export const fuzz: Bench = {
  name: 'fuzz',
  summary: 'seeded damage to requests of every kind; what must hold, holds',
  help: `npm run bench -- fuzz [--minutes N] [--seed N]

Damages valid OTLP requests (protobuf and JSON, traces and metrics) and release events for N minutes (10), each round with
the next seed, and sends them to a Surety of its own through every door beside good neighbours. Ends with the first
violation: a crash, an answer that is not clear, a neighbour that is lost, a row too many or too few, a refusal of what a
reference library has written. SURETY_FUZZ_SEED repeats a round in «npm test».`,
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
  async run(values, { lifecycle, say }) {
    const minutes = wholeNumber(values, 'minutes', MINUTES_DEFAULT, 1, 1440)
    const firstSeed = wholeNumber(values, 'seed', SEED_DEFAULT, 0, 2 ** 31)
    const folder = mkdtempSync(join(tmpdir(), 'surety-fuzz-'))
    lifecycle.add('data', () => rmSync(folder, { recursive: true, force: true }))
    const surety = await startSurety({
      SURETY_DATA_DIR: folder,
      SURETY_LINGER_MS: '20',
      SURETY_LOG_LEVEL: 'silent',
    })
    lifecycle.add('Surety', () => surety.stop())
    const grpc = openGrpcClient(surety.otlpGrpcUrl)
    lifecycle.add('gRPC', () => grpc.close())

    const deadline = performance.now() + minutes * 60_000
    const cases = { steps: 0, traces: 0, metrics: 0, releases: 0 }
    let rounds = 0
    try {
      for (; performance.now() < deadline; rounds += 1) {
        const seed = firstSeed + rounds
        const within = (share: number, count: number) => {
          const end = Math.min(deadline, performance.now() + ROUND_MS * share)
          return { seed, cases: count, isOver: () => performance.now() > end }
        }
        cases.steps += fuzzSteps(within(0.25, STEP_CASES))
        cases.traces += await fuzzDoors(surety, grpc, within(0.4, DOOR_CASES))
        cases.metrics += await fuzzMetricDoor(surety, within(0.2, DOOR_CASES))
        cases.releases += await fuzzReleases(surety, within(0.15, DOOR_CASES))
        say(`seed ${seed}: ${Object.values(cases).reduce((sum, count) => sum + count, 0)} cases`)
      }
    } catch (error) {
      if (error instanceof FuzzFailure) throw new BenchFailure(error.message)
      throw error
    }
    const value = Object.values(cases).reduce((sum, count) => sum + count, 0)
    return {
      versions: {},
      table: [['part', 'cases'], ...Object.entries(cases).map(([part, count]) => [part, String(count)])],
      notes: [
        `${rounds} rounds, seeds ${firstSeed} to ${firstSeed + rounds - 1}; nothing that must hold was violated.`,
      ],
      result: { value, unit: 'cases', failures: 0, seed: firstSeed, rounds, ...cases },
    }
  },
}
