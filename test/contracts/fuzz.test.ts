// Half a minute of seeded fuzzing; longer in `npm run bench -- fuzz`. SURETY_FUZZ_SEED repeats a run.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuzzDoors, fuzzMetricDoor, fuzzReleases, fuzzSteps } from '../support/fuzz.ts'
import { openGrpcClient, type GrpcClient } from '../support/grpc.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const SEED = Number(process.env['SURETY_FUZZ_SEED'] ?? 20_261_121)
let surety: TestSurety
let grpc: GrpcClient

beforeAll(async () => {
  surety = await startSurety({ SURETY_LINGER_MS: '20', SURETY_LOG_LEVEL: 'silent' })
  grpc = openGrpcClient(surety.otlpGrpcUrl)
})
afterAll(async () => {
  grpc.close()
  await surety.stop()
})

/** A slow machine does fewer cases; that is no failure. */
function within(seconds: number, cases: number) {
  const deadline = performance.now() + seconds * 1000
  return { seed: SEED, cases, isOver: () => performance.now() > deadline }
}

test('the walks and the converters of JSON', () => {
  expect(fuzzSteps(within(8, 6000))).toBeGreaterThan(0)
})

test('traces through every door, beside neighbours, to the row', async () => {
  expect(await fuzzDoors(surety, grpc, within(12, 1200))).toBeGreaterThan(0)
})

test('metrics', async () => {
  expect(await fuzzMetricDoor(surety, within(6, 600))).toBeGreaterThan(0)
})

test('release events', async () => {
  expect(await fuzzReleases(surety, within(4, 400))).toBeGreaterThan(0)
})
