import { defineConfig } from 'vitest/config'

// `unit` runs in seconds beside the code. `engine` starts the real parts (chdb, Kafka, browser), one file
// at a time in a process of its own: the engine admits one data directory per process.
export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: 'unit',
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
          name: 'engine',
          include: ['test/{contracts,scenarios,browser}/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          isolate: true,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
