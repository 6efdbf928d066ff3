// What the role `alerts` reads from its environment: for now what every role reads.

import { RuntimeConfig } from '../ingest/config.ts'

export const AlertsConfig = RuntimeConfig
export type AlertsConfig = RuntimeConfig
