// Which database the configuration names. A password never stands in a URL, so that it is never in a log or a list of processes.

import { readFileSync } from 'node:fs'
import { ConfigError } from '../ingest/runtime/config.ts'
import type { QueryConfig } from './config.ts'
import type { DatabaseTarget } from './registry/database.ts'

/** @throws ConfigError when the file of the password cannot be read */
export function databaseTarget(
  config: Pick<QueryConfig, 'SURETY_DATABASE_URL' | 'SURETY_DATABASE_PASSWORD_FILE' | 'SURETY_DATA_DIR'>,
): DatabaseTarget {
  const { SURETY_DATABASE_URL: given, SURETY_DATABASE_PASSWORD_FILE: path } = config
  if (given === undefined) return { kind: 'embedded', dataDir: config.SURETY_DATA_DIR }
  const url = new URL(given)
  if (path !== undefined) {
    try {
      url.password = encodeURIComponent(readFileSync(path, 'utf8').replace(/\r?\n$/, ''))
    } catch (error) {
      throw new ConfigError([
        `SURETY_DATABASE_PASSWORD_FILE=${path}: cannot be read (${(error as Error).message})`,
      ])
    }
  }
  return { kind: 'server', url: url.href }
}
