// The API contract of systems and services as wholes: what is defined of them beside what telemetry shows. No behaviour lives here.

import { z } from 'zod'
import { TIER_NAMES } from '../registry/tiers.ts'
import { Cursor } from './registry-schemas.ts'
import { Latency, ServicesQuery } from './schemas.ts'

const Live = {
  requests: z.number().int().describe('in the range'),
  ratePerSecond: z.number(),
  errorRatio: z.number().nullable().describe('bad outcomes ÷ requests, 0–1; null without requests'),
  lastSeenAt: z.string().nullable().describe('end of the last bucket with a request in the range'),
}

const Promised = z.object({
  rtoSeconds: z.number(),
  rpoSeconds: z.number(),
  downtimeSecondsPerYear: z.number().describe('unplanned'),
  availability: z.number().describe('ratio'),
  overridden: z
    .array(z.enum(['rtoSeconds', 'rpoSeconds', 'downtimeSecondsPerYear', 'availability']))
    .describe('where the system’s own figure stands in place of its tier’s'),
})

/** What is defined of a system; nulls where it is not registered. */
const Defined = {
  displayName: z.string().nullable(),
  tier: z.enum(TIER_NAMES).nullable(),
  promise: Promised.nullable().describe('what the tier promises, and the system in place of it'),
  team: z.string().nullable().describe('that owns it'),
  organisation: z.string().nullable(),
  type: z.string().nullable(),
  origin: z.enum(['in-house', 'vendor']).nullable(),
  vendor: z.string().nullable(),
  topology: z.enum(['active-active', 'active-standby', 'single-site']).nullable(),
  sites: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['active', 'primary', 'standby']),
      clusters: z.array(z.string()),
    }),
  ),
}

const RangeAndTraffic = ServicesQuery.pick({ from: true, to: true, traffic: true })
export const SystemsQuery = RangeAndTraffic.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: Cursor,
})
export const SystemItem = z.object({
  name: z.string(),
  isRegistered: z.boolean().describe('false: only telemetry knows it'),
  ...Defined,
  services: z.number().int().describe('registered, or with requests in the range'),
  ...Live,
})
export type SystemItem = z.infer<typeof SystemItem>
export const SystemsReply = z.object({
  from: z.string(),
  to: z.string(),
  items: z.array(SystemItem).describe('in order of name'),
  next: z.string().nullable().describe('cursor of the next page; null: this is the last'),
})

export const ProfileQuery = RangeAndTraffic.extend({
  from: RangeAndTraffic.shape.from
    .unwrap()
    .default('-1h')
    .describe('start of the range, inclusive; default -1h'),
})
export const SystemParams = z.object({ name: z.string().min(1).max(512) })

export const ObservedCall = z.object({
  kind: z
    .enum(['system', 'service', 'peer', 'hidden'])
    .describe(
      'service: one of no system, or told one by one; peer: no service answered; hidden: of systems that the caller may not read',
    ),
  name: z.string().nullable(),
  system: z.string().nullable().describe('null: none, or the name is the system'),
  isDeclared: z
    .boolean()
    .nullable()
    .describe(
      'the calling system says that it depends on the other; null where one of them is none or both are one',
    ),
  requests: z.number().int(),
  ratePerSecond: z.number(),
  errorRatio: z.number().nullable().describe('as the caller saw it'),
})
export type ObservedCall = z.infer<typeof ObservedCall>

const Declared = z.object({
  system: z.string(),
  need: z.enum(['hard', 'soft']),
  isObserved: z.boolean().describe('there were calls in the range'),
})
const SloName = z.object({
  name: z.string(),
  displayName: z.string().nullable(),
  service: z.string().nullable(),
})
export type SloName = z.infer<typeof SloName>

const Version = z.object({
  service: z.string(),
  version: z.string(),
  since: z
    .string()
    .describe(
      'begin of its first minute with a request, of its first hour where minutes are summed up; 400 days at most',
    ),
  last: z.string(),
  live: z
    .object({
      requests: z.number().int(),
      ratePerSecond: z.number(),
      errorRatio: z.number().nullable(),
      ...Latency.shape,
    })
    .nullable()
    .describe('null: no request in the range'),
})
export type Version = z.infer<typeof Version>

const Parts = {
  slos: z.array(SloName).describe('in order of name'),
  versions: z.array(Version).describe('newest first, 2,000 at most'),
  dependsOn: z.array(Declared).describe('what the system declares'),
  calls: z.array(ObservedCall).describe('whom it called, most calls first'),
  callers: z.array(ObservedCall).describe('who called it, most calls first'),
}

export const SystemProfile = SystemItem.omit({ services: true }).extend({
  from: z.string(),
  to: z.string(),
  description: z.string().nullable(),
  services: z.array(
    z.object({
      service: z.string().describe('service.name; of one that is not seen its name in the registry'),
      isRegistered: z.boolean(),
      team: z.string().nullable(),
      ...Live,
    }),
  ),
  ...Parts,
})
export type SystemProfile = z.infer<typeof SystemProfile>

export const ServiceProfile = z.object({
  service: z.string(),
  from: z.string(),
  to: z.string(),
  isRegistered: z.boolean(),
  registeredAs: z.string().nullable().describe('its name in the registry'),
  system: z.string().nullable().describe('it is part of; the fields from tier to sites are the system’s'),
  isSystemRegistered: z.boolean(),
  description: z.string().nullable(),
  ...Defined,
  ...Live,
  ...Parts,
})
export type ServiceProfile = z.infer<typeof ServiceProfile>
