// What is run: application systems, the unit that has a tier and an owner, and the services they are made of.

import { z } from 'zod'
import { TIER_NAMES } from '../tiers.ts'
import { description, line, name, names, word } from './words.ts'

const Site = z.strictObject({
  /** As in bank.site. */
  name,
  role: z.enum(['active', 'primary', 'standby']).default('active'),
  /** As in k8s.cluster.name. */
  clusters: names(200).default([]),
})

const seconds = z
  .number()
  .int()
  .min(0)
  .max(366 * 86_400)

export const SystemSpec = z
  .strictObject({
    description: description.optional(),
    organisation: name.optional(),
    /** The team that owns it. */
    team: name,
    tier: z.enum(TIER_NAMES),
    /** What it is for: core, channel, payment, risk … */
    type: word,
    origin: z.enum(['in-house', 'vendor']),
    vendor: line.optional(),
    topology: z.enum(['active-active', 'active-standby', 'single-site']).default('single-site'),
    sites: z.array(Site).max(50).default([]),
    dependsOn: z
      .array(
        z.strictObject({
          system: name,
          /** hard: without it this one fails; soft: it goes on with less. */
          need: z.enum(['hard', 'soft']).default('hard'),
        }),
      )
      .max(500)
      .default([]),
    /** Where the system's promise differs from its tier's. */
    recovery: z
      .strictObject({
        rtoSeconds: seconds.optional(),
        rpoSeconds: seconds.optional(),
        downtimeSecondsPerYear: seconds.optional(),
        availability: z.number().gt(0).lt(1).optional(),
      })
      .optional(),
  })
  .superRefine(({ origin, vendor, sites, dependsOn, topology }, context) => {
    const say = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    if (origin === 'vendor' && vendor === undefined) say(['vendor'], 'is required where origin is vendor')
    if (origin === 'in-house' && vendor !== undefined)
      say(['vendor'], 'is not there where origin is in-house')
    if (topology !== 'single-site' && sites.length === 1)
      say(['sites'], `names one site; ${topology} has several`)
    if (new Set(sites.map((site) => site.name)).size < sites.length) say(['sites'], 'names one of them twice')
    if (new Set(dependsOn.map(({ system }) => system)).size < dependsOn.length)
      say(['dependsOn'], 'names one of them twice')
  })
export type SystemSpec = z.output<typeof SystemSpec>

export const ServiceSpec = z.strictObject({
  description: description.optional(),
  system: name.optional(),
  /** Where it is not the system's. */
  team: name.optional(),
  /** What it calls itself in telemetry (service.name); its own name by default. */
  telemetryNames: z.array(z.string().min(1).max(512)).max(20).default([]),
})
export type ServiceSpec = z.output<typeof ServiceSpec>
