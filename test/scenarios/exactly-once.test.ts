// The short form of the bench `exactly-once`: ten random kills while spans flow from a real broker.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildLifecycle } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { crashRun } from '../bench/crash-run.ts'

test('ten kills at random moments lose nothing, double nothing, and leave every rollup exact', async () => {
  const lifecycle = buildLifecycle(buildLogger('error'), 30_000)
  const folder = mkdtempSync(join(tmpdir(), 'surety-crash-'))
  lifecycle.add('folder', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  try {
    const report = await crashRun({
      kills: 10,
      spans: 1_000_000,
      seed: 11,
      folder,
      lifecycle,
      say: () => {},
    })
    expect(report).toMatchObject({ lost: 0, duplicated: 0, rollupError: 0, lookUpError: 0, deadLetters: 0 })
    // How many of the ten fall into the reading depends on the machine's speed; some must, or nothing was tried.
    expect(report.killsWhileReading).toBeGreaterThanOrEqual(2)
  } finally {
    await lifecycle.stop()
  }
}, 300_000)
