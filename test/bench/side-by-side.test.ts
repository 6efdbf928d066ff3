import { expect, test } from 'vitest'
import type { IngestRun } from './ingest-run.ts'
import { sharesOf } from './side-by-side.ts'

const run: IngestRun = {
  rows: 1_000_000,
  wallSeconds: 5,
  cpuSeconds: 10,
  cpuSecondsUntilIn: 9,
  startUpCpuSeconds: 1,
  mergeSeconds: 1,
  partsWhenIn: 3,
  parts: 1,
  rssMb: 1000,
  threads: [
    { name: 'MainThread', cpuSeconds: 2 },
    { name: 'V8Worker', cpuSeconds: 0.5 },
    { name: 'MergeMutate', cpuSeconds: 2.5 },
    { name: 'ThreadPool', cpuSeconds: 4 },
  ],
}

test('shares are told by threads, add up to one, and ended threads were the engine’s', () => {
  expect(sharesOf(run, 0.5)).toEqual({ walk: 0.05, client: 0.2, engine: 0.5, merges: 0.25 })
})

test('the walk is never more than JavaScript used', () => {
  expect(sharesOf(run, 60)).toMatchObject({ walk: 0.25, client: 0 })
})
