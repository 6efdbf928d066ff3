// Who serves: which versions of a service are live, for whom, and which instance a caller picks. Pure; the
// bank holds one table and pushes every change of it to all instances.

import { placeOf } from './random.ts'
import { SERVICES, SERVICE_FACTS, type ServiceName, type Site } from './topology.ts'

export type GrayScope =
  | { readonly kind: 'weight'; readonly percent: number }
  | { readonly kind: 'branch'; readonly branches: readonly string[] }
export type Scope = { readonly kind: 'whole' } | GrayScope

/** A version beside the base that serves only its scope. */
export type GrayRelease = { readonly version: string; readonly scope: GrayScope }

/** `previous` keeps running without traffic, so that a rollback is a change of routing and nothing else. */
export type ServiceRoutes = {
  readonly base: string
  readonly previous: string | undefined
  readonly gray: readonly GrayRelease[]
}
export type RoutingTable = Readonly<Record<ServiceName, ServiceRoutes>>

export type Endpoint = {
  readonly service: ServiceName
  readonly version: string
  readonly site: Site
  readonly port: number
}

/** What callers need to know, as one message. */
export type Routing = { readonly table: RoutingTable; readonly endpoints: readonly Endpoint[] }

export type RouteChange =
  | { readonly kind: 'routed'; readonly routes: ServiceRoutes; readonly withdrawn: readonly string[] }
  | { readonly kind: 'refused'; readonly field: string; readonly reason: string; readonly remedy: string }

/** One call in this share leaves its site although an instance at home is up, as load balancers do now and then. */
const CROSS_SITE_SHARE = 0.02

export function baselineTable(): RoutingTable {
  const routes = SERVICES.map((service): [ServiceName, ServiceRoutes] => [
    service,
    { base: SERVICE_FACTS[service].baseline, previous: undefined, gray: [] },
  ])
  return Object.fromEntries(routes) as Record<ServiceName, ServiceRoutes>
}

/** Every version that must be running, the way back included. */
export function runningVersions(routes: ServiceRoutes): readonly string[] {
  const previous = routes.previous === undefined ? [] : [routes.previous]
  return [...new Set([routes.base, ...routes.gray.map((release) => release.version), ...previous])]
}

/**
 * The version that serves one request. A branch rule decides before weights do; weights draw by transaction, so
 * that all calls of one transaction to one service meet one version.
 *
 * @param request.branch  the branch header; undefined for channels without branches
 * @param request.txnId   the transaction id header
 */
export function chooseVersion(
  service: ServiceName,
  routes: ServiceRoutes,
  request: { readonly branch: string | undefined; readonly txnId: string },
): string {
  const { branch } = request
  if (branch !== undefined) {
    const rule = routes.gray.find(
      (release) => release.scope.kind === 'branch' && release.scope.branches.includes(branch),
    )
    if (rule !== undefined) return rule.version
  }
  let left = placeOf(`${service}|${request.txnId}`) * 100
  for (const { version, scope } of routes.gray) {
    if (scope.kind !== 'weight') continue
    if (left < scope.percent) return version
    left -= scope.percent
  }
  return routes.base
}

/**
 * The instance of a version that serves one request: the caller's own site, seldom the other one, and the other
 * one whenever home has none.
 *
 * @param draw uniform in [0, 1)
 * @returns undefined when no instance of the version is up
 */
export function chooseEndpoint(
  routing: Routing,
  service: ServiceName,
  version: string,
  site: Site,
  draw: number,
): Endpoint | undefined {
  const up = routing.endpoints.filter(
    (endpoint) => endpoint.service === service && endpoint.version === version,
  )
  const home = up.find((endpoint) => endpoint.site === site)
  const away = up.find((endpoint) => endpoint.site !== site)
  return draw < CROSS_SITE_SHARE ? (away ?? home) : (home ?? away)
}

/** Puts a version in front of a scope. `withdrawn` are the versions nothing points to any more. */
export function deploy(routes: ServiceRoutes, version: string, scope: Scope): RouteChange {
  if (version === routes.base) {
    return {
      kind: 'refused',
      field: 'version',
      reason: `${version} already serves everything outside gray scopes`,
      remedy: 'choose another version, or roll back first',
    }
  }
  const others = routes.gray.filter((release) => release.version !== version)
  if (scope.kind === 'whole') {
    return routed(routes, { base: version, previous: routes.base, gray: [] })
  }
  const conflict =
    scope.kind === 'weight' ? weightConflict(others, scope.percent) : branchConflict(others, scope)
  if (conflict !== undefined) return conflict
  return routed(routes, { ...routes, gray: [...others, { version, scope }] })
}

/** Gray versions go first; without any, the previous version takes over whole. */
export function rollBack(routes: ServiceRoutes): RouteChange {
  if (routes.gray.length > 0) return routed(routes, { ...routes, gray: [] })
  if (routes.previous === undefined) {
    return {
      kind: 'refused',
      field: 'service',
      reason: 'no earlier version is known to roll back to',
      remedy: 'deploy a version first',
    }
  }
  return routed(routes, { base: routes.previous, previous: undefined, gray: [] })
}

/** Share of requests a live version is meant to serve; undefined when it depends on who asks. */
export function plannedShare(routes: ServiceRoutes, version: string): number | undefined {
  const weights = routes.gray.flatMap(({ scope }) => (scope.kind === 'weight' ? [scope.percent / 100] : []))
  if (version === routes.base) {
    const byBranch = routes.gray.some(({ scope }) => scope.kind === 'branch')
    return byBranch ? undefined : Math.max(0, 1 - weights.reduce((sum, weight) => sum + weight, 0))
  }
  const release = routes.gray.find((candidate) => candidate.version === version)
  if (release === undefined) return 0
  return release.scope.kind === 'weight' ? release.scope.percent / 100 : undefined
}

/** The next minor version after the highest one seen: 2.13.4 → 2.14.0. */
export function nextVersion(seen: readonly string[]): string {
  const highest = seen
    .map((version) => /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0])
    .sort((a, b) => compare(b, a))[0]
  return `${highest?.[0] ?? 0}.${(highest?.[1] ?? 0) + 1}.0`
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function routed(before: ServiceRoutes, routes: ServiceRoutes): RouteChange {
  const kept = runningVersions(routes)
  return {
    kind: 'routed',
    routes,
    withdrawn: runningVersions(before).filter((version) => !kept.includes(version)),
  }
}

function weightConflict(others: readonly GrayRelease[], percent: number): RouteChange | undefined {
  const taken = others.reduce((sum, { scope }) => sum + (scope.kind === 'weight' ? scope.percent : 0), 0)
  if (taken + percent <= 100) return undefined
  return {
    kind: 'refused',
    field: 'scope.percent',
    reason: `other gray versions already take ${taken} % of the traffic`,
    remedy: `choose at most ${100 - taken} %, or roll the others back`,
  }
}

function branchConflict(
  others: readonly GrayRelease[],
  scope: { readonly branches: readonly string[] },
): RouteChange | undefined {
  for (const { version, scope: other } of others) {
    const shared = other.kind === 'branch' ? other.branches.filter((id) => scope.branches.includes(id)) : []
    if (shared.length > 0) {
      return {
        kind: 'refused',
        field: 'scope.branches',
        reason: `${shared.join(', ')} already go to ${version}`,
        remedy: 'leave these branches out, or roll that version back',
      }
    }
  }
  return undefined
}
