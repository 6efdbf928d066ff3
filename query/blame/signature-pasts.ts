// What was known of errors before: in which of the versions before, and whether releases of their service usually bring them. Pure.

import type { Release } from '../releases/release.ts'
import type { SignaturePast } from './case.ts'

/** Versions before the newest that are looked at. */
const EARLIER_VERSIONS = 3

/**
 * @param pasts     `at_releases` are numbers, from 1, of `released`
 * @param versions  by service, newest first
 */
export function pastsOf(
  pasts: readonly {
    readonly service_: string
    readonly id: string
    readonly versions: readonly string[]
    readonly at_releases: readonly number[]
  }[],
  versions: readonly { readonly service_: string; readonly versions: readonly string[] }[],
  released: readonly Release[],
  candidates: readonly Release[],
): SignaturePast[] {
  const known = new Map(versions.map((row) => [row.service_, row.versions]))
  const suspected = new Map<string, Set<string>>()
  for (const { service, versionTo } of candidates)
    suspected.set(service, (suspected.get(service) ?? new Set()).add(versionTo))
  const releases = new Map<string, number>()
  for (const { service } of released) releases.set(service, (releases.get(service) ?? 0) + 1)
  return pasts.map((row) => {
    const earlier = (known.get(row.service_) ?? [])
      .filter((version) => suspected.get(row.service_)?.has(version) !== true)
      .slice(0, EARLIER_VERSIONS)
    return {
      service: row.service_,
      signature: row.id,
      earlierVersions: earlier.filter((version) => row.versions.includes(version)).length,
      atReleases: row.at_releases.length,
      releases: releases.get(row.service_) ?? 0,
    }
  })
}
