// Which ClickHouse servers this release works with. What the statements use decides; the oldest is stated here alone.

import { StoreError } from './store-error.ts'

/**
 * `format_schema_source = 'string'` and `format_schema_message_name`, by which a server parses OTLP without a file of ours
 * on its disk, came with 25.6; 25.8 is the first long-term release that has them. All else that the schema and the
 * statements use is older.
 */
export const OLDEST_SERVER = { major: 25, minor: 8 } as const

/** Settings that make a profile's switches not matter and that older servers do not know. */
const NEWER_SETTINGS = [
  { name: 'deduplicate_insert', value: 'enable', major: 25, minor: 12 },
  { name: 'deduplicate_insert_select', value: 'enable_when_possible', major: 25, minor: 12 },
] as const

type Version = { readonly major: number; readonly minor: number }

/** @param text  as `version()` says it: `25.8.3.66`, `26.3.1.1-altinity` */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? []
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor) }
}

const isAtLeast = (version: Version, oldest: Version) =>
  version.major > oldest.major || (version.major === oldest.major && version.minor >= oldest.minor)

/** @throws StoreError naming the version found and the one needed */
export function checkVersion(text: string): Version {
  const version = parseVersion(text)
  if (version !== undefined && isAtLeast(version, OLDEST_SERVER)) return version
  throw new StoreError(
    'SURETY_STORE_VERSION',
    `The ClickHouse server is version ${text}; this release needs ${OLDEST_SERVER.major}.${OLDEST_SERVER.minor} or newer. Update the server, or unset SURETY_CLICKHOUSE_URL to use the embedded engine.`,
  )
}

/** Settings of inserts that only newer servers know, for this one. */
export function newerSettings(version: Version): Readonly<Record<string, string>> {
  const known = NEWER_SETTINGS.filter((setting) => isAtLeast(version, setting))
  return Object.fromEntries(known.map(({ name, value }) => [name, value]))
}
