// What stands in the registry: an object of a kind, with a name. Shapes only.

/** Kinds that Surety defines itself. */
export const OWN_KINDS = [
  'organisation',
  'team',
  'user',
  'system',
  'service',
  'calendar',
  'exclusion',
  'release-order',
] as const
/** Kinds of OpenSLO, defined by what reads its documents. Its `Service` is our `service`. */
export const SLO_KINDS = [
  'data-source',
  'sli',
  'alert-condition',
  'alert-notification-target',
  'alert-policy',
  'slo',
] as const
/** In an order in which what is referred to comes first. */
export const KINDS = [...OWN_KINDS, ...SLO_KINDS] as const
export type OwnKind = (typeof OWN_KINDS)[number]
export type SloKind = (typeof SLO_KINDS)[number]
export type Kind = (typeof KINDS)[number]

export type Metadata = {
  readonly displayName?: string | undefined
  readonly labels?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/** Another object that one names, and where. */
export type Reference = { readonly kind: Kind; readonly name: string; readonly path: string }

/** Where an object belongs, as far as it says so itself. */
export type Place = {
  readonly team?: string | undefined
  readonly system?: string | undefined
  readonly service?: string | undefined
}

/** An object as somebody wants it, checked by its kind. */
export type Wanted = {
  readonly kind: Kind
  readonly name: string
  readonly metadata?: Metadata
  readonly spec: Readonly<Record<string, unknown>>
  readonly references?: readonly Reference[]
  readonly place?: Place
  /** Fingerprint of what an SLO asks; another one begins a new generation. */
  readonly question?: string
  /** Keeps what the stored object says beyond this one: a document that knows fewer members than the kind has. */
  readonly isPartial?: boolean
}

export type RegistryObject = {
  /** Never used again, not even by an object of the same name. */
  readonly id: number
  readonly kind: Kind
  readonly name: string
  readonly metadata: Metadata
  readonly spec: Readonly<Record<string, unknown>>
  /** Fingerprint of what an SLO asks; empty for other kinds. */
  readonly question: string
  /** Counts questions; 1 for the first. */
  readonly generation: number
  /** Counts changes; 1 for the first. */
  readonly revision: number
  /** The set of files that it was last applied from; empty: by hand. */
  readonly bundle: string
  /** The team that owns it, through its service and system if need be. */
  readonly owner: string | undefined
  /** The system it is part of; its own name for a system. */
  readonly system: string | undefined
  readonly createdAt: Date
  readonly changedAt: Date
}

export const idOf = ({ kind, name }: Pick<Wanted, 'kind' | 'name'>): string => `${kind}/${name}`

/** Who changes, from where, and why. */
export type Author = {
  /** User or part of Surety. */
  readonly actor: string
  /** By what: session, token NAME, command line. */
  readonly via: string
  /** Address of the caller; empty inside Surety. */
  readonly origin: string
  readonly reason: string
  /** Names the request, so that all changes of an apply are found together. */
  readonly request: string
}

export type Change =
  | { readonly action: 'create'; readonly object: Wanted; readonly before: undefined }
  | { readonly action: 'update'; readonly object: Wanted; readonly before: RegistryObject }
  | { readonly action: 'delete'; readonly object: Wanted; readonly before: RegistryObject }

export type AuditRow = {
  readonly id: number
  readonly at: Date
  readonly actor: string
  readonly via: string
  readonly origin: string
  readonly reason: string
  readonly request: string
  readonly action: 'create' | 'update' | 'delete' | 'refuse'
  readonly kind: string
  readonly name: string
  readonly before: unknown
  readonly after: unknown
}
