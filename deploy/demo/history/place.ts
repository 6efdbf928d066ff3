// Where things run and what they are called, the same for spans and metrics. Pure.

import { createHash } from 'node:crypto'
import type { CastResource } from './cast.ts'
import type { World } from './world.ts'

/** One cluster per site, as in ../topology.ts. */
export const clusterOf = (site: string): string => `${site}-01`

/** Stable, so that an instance is one instance in all of the history. */
export function instanceId({ service, version, site }: Omit<CastResource, 'system'>): string {
  const hex = createHash('sha256').update(`${service}|${version}|${site}`).digest('hex')
  return `${service}-${version}-${site}-${hex.slice(0, 6)}`
}

export const placeAttributes = ({ environment, cloudRegion }: World, site: string) => ({
  'deployment.environment.name': environment,
  'bank.site': site,
  'cloud.region': cloudRegion,
  'cloud.availability_zone': site,
  'k8s.cluster.name': clusterOf(site),
})
