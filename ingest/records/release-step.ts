// One step of a release as some tool told it: the canonical, append-only record that every door makes of what it is sent. The
// event itself is kept beside it, whole (release-event.ts). Steps are told, not measured: when a version really served, and whom, is
// read from traffic downstream.

export const STEP_KINDS = [
  /** Asked for, not begun. */
  'requested',
  'started',
  /** The scope or weight changed. */
  'step',
  /** The tool says that the version serves. */
  'ready',
  'completed',
  'paused',
  'aborted',
  'failed',
  'rolled_back',
  'removed',
  /** Belongs to a release and changes nothing of it: merged, approved, published. */
  'noted',
] as const
export type StepKind = (typeof STEP_KINDS)[number]

export const CHANGE_TYPES = [
  'code',
  'config',
  'flag',
  'schema',
  'infra',
  'host_patch',
  'scaling',
  'network',
  /** A version of a client application (`bank.client.version`). */
  'client',
] as const
export type ChangeType = (typeof CHANGE_TYPES)[number]

export const RELEASE_TOOLS = [
  'cdevents',
  'github',
  'gitlab',
  'argo-cd',
  'argo-rollouts',
  'kubernetes',
  'generic',
  'manual',
] as const
export type ReleaseTool = (typeof RELEASE_TOOLS)[number]

/** Attributes a scope may select by; others stand as `http.request.header.<key>` or any span attribute. */
export const SCOPE_ATTRIBUTES = ['site', 'region', 'branch', 'teller', 'channel', 'zone', 'cluster'] as const

/** Whom a version serves: every selector must match. Without selectors everybody. */
export type ReleaseScope = {
  readonly selectors: readonly {
    /** One of SCOPE_ATTRIBUTES, or an attribute key. */
    readonly attribute: string
    readonly match: 'exact' | 'prefix' | 'regex'
    /** At least one; any of them. */
    readonly values: readonly string[]
  }[]
  /** Share of the selected requests, 0–100; undefined: all of them, or not told. */
  readonly weightPercent: number | undefined
}

/** One step. Texts are empty when the tool does not say. */
export type ReleaseStep = {
  /** Identity, with `eventId`: of the event it was made of. */
  readonly source: string
  readonly eventId: string
  readonly tool: ReleaseTool
  readonly kind: StepKind
  readonly changeType: ChangeType
  /** By the sender's clock, ms since 1970. */
  readonly at: number
  /** By ours. */
  readonly receivedAt: number
  /** `service.name` as told; may be an alias. Empty for changes of something else (host, network): then `target` says of what. */
  readonly service: string
  /** What changes when it is no service: node, zone, host group, table, client application. */
  readonly target: string
  readonly system: string
  readonly environment: string
  readonly versionFrom: string
  readonly versionTo: string
  /** Image, package or purl. */
  readonly artifact: string
  /** Hash of manifest or configuration. */
  readonly configHash: string
  readonly vcsRevision: string
  /** Name or address of the run. */
  readonly pipeline: string
  readonly actor: string
  readonly ticket: string
  /** The tool's own key of one release (deployment id, chainId, app and revision); steps that share it belong together. */
  readonly releaseKey: string
  /** Release order (发布单) it belongs to. */
  readonly orderId: string
  /** 1-based place in its order's batches; 0 when not told. */
  readonly batchNo: number
  readonly batchTotal: number
  readonly replicasNew: number
  readonly replicasTotal: number
  readonly scope: ReleaseScope
  /** The parameters that are set, as told, at most 200 of them. */
  readonly parameters: Readonly<Record<string, string>>
  /** Whether it can be taken back; schema changes often cannot. */
  readonly isReversible: boolean
  readonly description: string
}
