// The text that a trace's path is kept as: services and versions between control characters
// (ingest/store/schema/0037_trace_paths_1m.sql). Also keys of entries, made the same way.

import type { Entry } from './case.ts'

const PAIR = '\u001E'
const PART = '\u001F'

/** What a path has that touched a version of a service. */
export const versionNeedle = (service: string, version: string) => `${PAIR}${service}${PART}${version}${PAIR}`

/** What a path has that touched a service. */
export const serviceNeedle = (service: string) => `${PAIR}${service}${PART}`

export function pathPairs(path: string): { readonly service: string; readonly version: string }[] {
  return path
    .split(PAIR)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [service = '', version = ''] = pair.split(PART)
      return { service, version }
    })
}

export const entryKey = ({ service, operation, txnCode }: Entry) => [service, operation, txnCode].join(PART)
