// Writes the demo bank's past into an empty data directory, as `surety demo` does at its first start, and ends. A program of its own,
// because one process has one data directory: `node test/bench/demo-past.ts DAYS` with Surety's environment.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readDemoConfig } from '../../deploy/demo/config.ts'
import { demoHistory } from '../../deploy/demo/history/history.ts'
import { serve } from '../../deploy/serve.ts'
import { isLoopback } from '../../ingest/runtime/reach.ts'
import { BenchFailure } from './bench-definition.ts'

export type DemoPast = { readonly spans: number; readonly points: number; readonly requests: number }

/**
 * Runs this file.
 * @param days  of spans and metrics; counts reach back four times as far before them
 * @throws BenchFailure when no past was written
 */
export async function writeDemoPast(
  dataDir: string,
  days: number,
  env: Readonly<Record<string, string>>,
): Promise<DemoPast> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--max-old-space-size=2048', fileURLToPath(import.meta.url), String(days)],
    {
      env: { PATH: process.env['PATH'] ?? '', UV_THREADPOOL_SIZE: '16', ...env, SURETY_DATA_DIR: dataDir },
      maxBuffer: 1 << 24,
    },
  )
  const line = stdout.trim().split('\n').at(-1) ?? ''
  const { kind, ...written } = JSON.parse(line) as DemoPast & { kind: string }
  if (kind !== 'written') throw new BenchFailure(`The bank's past was not written: ${line}`)
  return written
}

if (import.meta.main) {
  const demo = readDemoConfig({ SURETY_DEMO_HISTORY: process.argv[2] ?? '7' })
  let outcome: Awaited<ReturnType<typeof demoHistory>>
  const { lifecycle } = await serve(
    ['ingest', 'query'],
    process.env,
    isLoopback,
    async (ingest, parts, config) => {
      const signal = new AbortController().signal
      outcome = await demoHistory(demo, { ingest, parts, config, signal, out: process.stderr })
    },
  )
  await lifecycle.stop()
  console.log(JSON.stringify(outcome))
}
