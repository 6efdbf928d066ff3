// The short form of the bench `exactly-once`: random kills while spans flow from a real broker, a member that comes and goes,
// a stall longer than the group's patience.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildLifecycle } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { crashRun } from '../bench/crash-run.ts'

const isLong = process.env['SURETY_TEST_LONG'] === '1'

test('kills at random moments lose nothing, double nothing, and leave every rollup exact', async () => {
  const lifecycle = buildLifecycle(buildLogger('error'), 30_000)
  const folder = mkdtempSync(join(tmpdir(), 'surety-crash-'))
  lifecycle.add('folder', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  try {
    const report = await crashRun({
      kills: isLong ? 10 : 5,
      spans: isLong ? 1_000_000 : 500_000,
      seed: 11,
      folder,
      lifecycle,
      say: () => {},
    })
    expect(report).toMatchObject({ lost: 0, duplicated: 0, rollupError: 0, lookUpError: 0, deadLetters: 0 })
    // How many of them fall into the reading depends on the machine's speed; some must, or nothing was tried.
    expect(report.killsWhileReading).toBeGreaterThanOrEqual(1)
    expect(report).toMatchObject({ rebalances: 1, stalls: 1 })
  } finally {
    await lifecycle.stop()
  }
})
