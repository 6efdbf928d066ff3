// What the role `query` reads from its environment: for now what every role reads.

import { RuntimeConfig } from '../ingest/config.ts'

export const QueryConfig = RuntimeConfig
export type QueryConfig = RuntimeConfig
