// Which OpenTelemetry attributes have a column of their own in `spans`, and under which keys they come.
// The one list behind the insert, the reading back and the documentation: to add an attribute column, add
// a line here and a numbered migration.

export type Promoted = {
  /** Column of `spans`. */
  readonly column: string
  /** Attribute keys, the first is the one shown; the others are older or equivalent names. */
  readonly keys: readonly [string, ...string[]]
  /** Where the attribute is looked for. `either`: on the span, else on its resource. */
  readonly level: 'resource' | 'span' | 'either'
  /** Value when no key is there; the empty string if not given. */
  readonly fallback?: string
}

export const PROMOTED: readonly Promoted[] = [
  { column: 'service', keys: ['service.name'], level: 'resource', fallback: 'unknown_service' },
  { column: 'version', keys: ['service.version'], level: 'resource' },
  { column: 'system', keys: ['bank.system', 'service.namespace'], level: 'resource' },
  {
    column: 'environment',
    keys: ['deployment.environment.name', 'deployment.environment'],
    level: 'resource',
  },
  { column: 'site', keys: ['bank.site', 'cloud.region'], level: 'resource' },
  { column: 'zone', keys: ['cloud.availability_zone'], level: 'resource' },
  { column: 'cluster', keys: ['k8s.cluster.name'], level: 'resource' },
  { column: 'channel', keys: ['bank.channel'], level: 'either' },
  { column: 'region', keys: ['bank.region'], level: 'either' },
  { column: 'branch', keys: ['bank.branch'], level: 'either' },
  { column: 'teller', keys: ['bank.teller'], level: 'span' },
  { column: 'txn_code', keys: ['bank.txn.code'], level: 'either' },
  { column: 'return_code', keys: ['bank.return.code'], level: 'span' },
  { column: 'txn_id', keys: ['bank.txn.id'], level: 'span' },
  { column: 'traffic', keys: ['bank.traffic'], level: 'either', fallback: 'live' },
  { column: 'client_version', keys: ['bank.client.version'], level: 'span' },
  { column: 'caller', keys: ['bank.caller'], level: 'either' },
  { column: 'route', keys: ['http.route'], level: 'span' },
  { column: 'http_status', keys: ['http.response.status_code', 'http.status_code'], level: 'span' },
  { column: 'rpc_status', keys: ['rpc.response.status_code', 'rpc.grpc.status_code'], level: 'span' },
  { column: 'peer', keys: ['server.address', 'net.peer.name'], level: 'span' },
]

/** Keys that are taken out of `attr_k`/`attr_v` because a column holds exactly them. */
export const MOVED_KEYS: readonly string[] = PROMOTED.filter((promoted) => promoted.level !== 'resource').map(
  (promoted) => promoted.keys[0],
)
