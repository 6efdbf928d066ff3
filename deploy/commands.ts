// The commands that end by themselves: migrate and check-config.

import { retentionOf } from '../ingest/process.ts'
import { openAccess } from '../ingest/runtime/access.ts'
import { systemClock } from '../ingest/runtime/clock.ts'
import { buildLogger } from '../ingest/runtime/logger.ts'
import { buildMetrics } from '../ingest/runtime/metrics.ts'
import { readMasking } from '../ingest/masking.ts'
import { readReturnCodes } from '../ingest/return-codes.ts'
import { openEmbeddedStore } from '../ingest/store/store.ts'
import { parseRoles, readEnvironment, ROLES } from './environment.ts'

export async function migrateCommand(): Promise<number> {
  const config = readEnvironment(ROLES, process.env)
  const store = await openEmbeddedStore(config.SURETY_DATA_DIR, retentionOf(config))
  const text = store.migrated.length === 0 ? 'is up to date' : `took ${store.migrated.join(', ')}`
  await store.close()
  console.log(`The store in ${config.SURETY_DATA_DIR} ${text}`)
  return 0
}

export async function checkConfigCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const config = readEnvironment(parseRoles(values['roles'] as string | undefined), process.env)
  readReturnCodes(config.SURETY_RETURN_CODE_MAP)
  // Tokens, certificate and key are read as «serve» would read them.
  const parts = { clock: systemClock, logger: buildLogger('silent'), metrics: buildMetrics() }
  const access = await openAccess(config, parts)
  access.close()
  readMasking(config.SURETY_MASKING)
  for (const [name, value] of Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const given = process.env[name] !== undefined && process.env[name] !== ''
    console.log(`${name}=${shown(name, value)}${given ? '' : '  (default)'}`)
  }
  return 0
}

function shown(name: string, value: unknown): string {
  if (value === undefined) return ''
  if (name.includes('PASSWORD')) return '(not shown)'
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value)
}
