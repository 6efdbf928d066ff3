// Who may do what. The one table of routes stands here: a route that is not in it does not start, and a test walks it for every
// kind of caller.

import type { Role } from '../registry/kinds/people.ts'

export const PERMISSIONS = [
  /** Whoever can connect. */
  'open',
  /** Programs with a token of the file that has the door's scope; on loopback without such tokens whoever can connect. */
  'door',
  /** Those of `door`, and whoever reads. */
  'probe',
  /** Who is it that asks? */
  'who',
  /** Reads, as far as the caller's scope goes. */
  'read',
  /** Reads what is not told apart by system: for callers who may read everything. */
  'read-all',
  /** A user about himself, in a session. */
  'self',
  /** Changes definitions: an operator those of his teams. */
  'write',
  /** Who did what, from where. */
  'audit',
  /** Touches the store as a whole, or shows what was sent unmasked. */
  'operate',
  /** Organisations, teams, users and what belongs to no team. */
  'administer',
] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Permissions that a token can be given. */
export const TOKEN_SCOPES = ['read', 'write', 'audit', 'operate', 'administer'] as const
export type TokenScope = (typeof TOKEN_SCOPES)[number]

const VIEWER = ['probe', 'who', 'read', 'read-all', 'self'] as const
const OPERATOR = [...VIEWER, 'write', 'audit', 'operate'] as const

export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: VIEWER,
  operator: OPERATOR,
  admin: [...OPERATOR, 'administer'],
}

/** Of definitions that are read and written one by one. */
const definitions = (plural: string, reading: Permission, writing: Permission) =>
  ({
    [`GET /api/v1/registry/${plural}`]: reading,
    [`GET /api/v1/registry/${plural}/:name`]: reading,
    [`PUT /api/v1/registry/${plural}/:name`]: writing,
    [`DELETE /api/v1/registry/${plural}/:name`]: writing,
  }) as const

/** `METHOD /address` → what it takes. */
export const ROUTES: Readonly<Record<string, Permission>> = {
  'GET /': 'open',
  'GET /assets/dashboards/*': 'open',
  'GET /assets/echarts.js': 'open',
  'GET /healthz': 'open',
  'GET /readyz': 'probe',
  'GET /metrics': 'probe',
  'GET /api/v1/openapi.json': 'probe',

  'POST /api/v1/releases/events': 'door',
  'POST /api/v1/releases/hooks/github': 'door',
  'POST /api/v1/releases/hooks/gitlab': 'door',
  'POST /api/v1/releases/hooks/argo-cd': 'door',
  'POST /api/v1/releases/hooks/argo-rollouts': 'door',
  'POST /api/v1/releases/hooks/kubernetes': 'door',
  'POST /api/v1/releases/hooks/:name': 'door',
  'POST /api/v1/releases/manual': 'write',
  'GET /api/v1/dead-letters': 'read-all',
  'GET /api/v1/dead-letters/:id': 'read-all',
  'GET /api/v1/dead-letters/:id/payload': 'operate',
  'POST /api/v1/dead-letters/:id/replay': 'operate',
  'POST /api/v1/backups': 'operate',
  'GET /api/v1/backups/:name': 'operate',

  'GET /api/v1/services': 'read',
  'GET /api/v1/services/:service': 'read',
  'GET /api/v1/services/:service/series': 'read-all',
  'GET /api/v1/services/:service/errors': 'read-all',
  'GET /api/v1/systems': 'read',
  'GET /api/v1/systems/:name': 'read',
  'GET /api/v1/journeys': 'read',
  'GET /api/v1/journeys/:txnCode': 'read',
  'GET /api/v1/calendar': 'read',
  'GET /api/v1/map': 'read-all',
  'GET /api/v1/map/difference': 'read-all',
  'GET /api/v1/traces': 'read-all',
  'GET /api/v1/traces/:traceId': 'read-all',
  'GET /api/v1/attributes': 'read-all',
  'GET /api/v1/attributes/:key/values': 'read-all',
  'GET /api/v1/releases': 'read',
  'GET /api/v1/releases/:id': 'read',
  'GET /api/v1/releases/events': 'read-all',
  'GET /api/v1/releases/verdict': 'read',
  'GET /api/v1/releases/:id/verdict': 'read',
  'POST /api/v1/releases/:id/override': 'write',
  'GET /api/v1/reports/verdict-accuracy': 'read',
  'GET /api/v1/reports/changes': 'read',
  'GET /api/v1/release-windows': 'read',
  'GET /api/v1/release-windows/chain': 'read-all',
  'GET /api/v1/release-windows/:id': 'read',
  'GET /api/v1/release-orders': 'read',
  'GET /api/v1/release-orders/:name': 'read',
  'GET /api/v1/events': 'read-all',
  'GET /api/v1/metrics': 'read-all',
  'GET /api/v1/metrics/query': 'read-all',
  'GET /api/v1/metrics/utilisation': 'read-all',
  'GET /api/v1/metrics/status': 'read-all',
  'GET /api/v1/metrics/:name/series': 'read-all',
  'GET /api/v1/metrics/:name/exemplars': 'read-all',
  'GET /api/v1/ingest/status': 'read',

  'GET /api/v1/faults': 'read',
  'GET /api/v1/faults/:id': 'read',
  'POST /api/v1/faults': 'write',

  'GET /metrics/slo': 'read',
  'GET /api/v1/reports/slos': 'read',
  'GET /api/v1/systems/downtime': 'read',
  'GET /api/v1/slos': 'read',
  'GET /api/v1/slos/stream': 'read',
  'GET /api/v1/slos/:slo': 'read',
  'GET /api/v1/slos/:slo/history': 'read',
  'GET /api/v1/slos/:slo/burn': 'read',
  'GET /api/v1/slos/:slo/ledger': 'read',
  'GET /api/v1/slos/:slo/corrections': 'read',
  'POST /api/v1/slos/:slo/corrections/:id': 'write',

  ...definitions('organisations', 'read', 'administer'),
  ...definitions('teams', 'read', 'administer'),
  ...definitions('users', 'administer', 'administer'),
  ...definitions('systems', 'read', 'write'),
  ...definitions('services', 'read', 'write'),
  ...definitions('calendars', 'read', 'administer'),
  ...definitions('exclusions', 'read', 'write'),
  ...definitions('release-orders', 'read', 'write'),
  ...definitions('data-sources', 'read', 'write'),
  ...definitions('slis', 'read', 'write'),
  ...definitions('alert-conditions', 'read', 'write'),
  ...definitions('alert-notification-targets', 'read', 'write'),
  ...definitions('alert-policies', 'read', 'write'),
  ...definitions('slos', 'read', 'write'),
  'POST /api/v1/registry/apply': 'write',
  'POST /api/v1/registry/validate': 'read',
  'GET /api/v1/registry/export': 'read',

  'POST /api/v1/session': 'open',
  'GET /api/v1/session': 'who',
  'DELETE /api/v1/session': 'self',
  'PUT /api/v1/session/password': 'self',
  'GET /api/v1/sessions': 'self',
  'DELETE /api/v1/sessions/:id': 'self',
  'GET /api/v1/tokens': 'self',
  'POST /api/v1/tokens': 'self',
  'DELETE /api/v1/tokens/:id': 'self',
  'POST /api/v1/registry/users/:name/password': 'administer',
  'GET /api/v1/audit': 'audit',
}

/** @returns what a request takes; undefined: its route is not in the table */
export function permissionOf(method: string, address: string): Permission | undefined {
  // A HEAD is a GET without its body.
  const key = `${method === 'HEAD' ? 'GET' : method} ${address}`
  return Object.hasOwn(ROUTES, key) ? ROUTES[key] : undefined
}
