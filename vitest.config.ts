import { defineConfig } from 'vitest/config'

// `unit` runs in seconds beside the code. `engine` starts the real parts (chdb, Kafka, browser), each file in a process of its
// own: the engine admits one data directory per process. Two files at a time fill the two cores that CI has; what must have
// the machine for itself is `engine-alone`, afterwards.
const ENGINE = ['test/{contracts,scenarios,browser}/**/*.test.ts']
/** A thousand senders, a disk that is full, moments that have to be met. */
const ALONE = ['hostile-load', 'full-disk', 'kafka-port', 'drain'].map((name) => `test/**/${name}.test.ts`)

const engine = {
  pool: 'forks',
  isolate: true,
  // No guarantee is about time; the limits are for what stands still.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 120_000 } },
} as const

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          // No guarantee is about time; a busy machine may take its own.
          testTimeout: 30_000,
          include: [
            '{ingest,query,alerts,dashboards,deploy}/**/*.test.ts',
            'test/*.test.ts',
            'test/bench/*.test.ts',
            'test/simulator/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          ...engine,
          name: 'engine',
          include: ENGINE,
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...engine,
          name: 'engine-alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
