// The API contract of what a delivery tool asks before it goes on. Shapes only.

import { z } from 'zod'
import { Told } from './fault-schemas.ts'
import { ReleaseVerdictWord } from './release-schemas.ts'

export const GateQuery = z.object({
  service: z.string().min(1).max(256).describe('service.name of the release, as its spans say it'),
  version: z.string().min(1).max(256).describe('service.version likewise'),
  environment: z.string().max(256).default('').describe('empty: any'),
})

/** `decision` stands first, so that a shell can read it without a JSON parser. */
export const GateReply = z.object({
  decision: z
    .enum(['go', 'abort', 'wait'])
    .describe(
      'go: not worse, or a person said so; abort: worse and technical; wait: a person decides, or it cannot be told yet',
    ),
  verdict: ReleaseVerdictWord.nullable().describe('a person’s before ours; null before the first'),
  fault: z.enum(['technical', 'business']).nullable(),
  release: z.string().nullable().describe('its id; null when none of that service and version was judged'),
  headline: Told,
  requestsMissing: z.number().nullable(),
  minutesMissing: z.number().nullable(),
  decidedAt: z.string().nullable().describe('RFC 3339 in UTC'),
  decidedBy: z.string().nullable().describe('the person whose verdict counts; null: ours'),
})
export type GateReply = z.infer<typeof GateReply>
