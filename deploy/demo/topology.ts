// What the demo bank consists of: services, sites, branches and the versions it opens with. Facts only;
// who serves at the moment is routing.ts, what a service does is services/.

export const SERVICES = [
  'mobile-bff',
  'counter-bff',
  'gateway',
  'account',
  'transfer',
  'limit',
  'ledger',
  'core-adapter',
] as const
export type ServiceName = (typeof SERVICES)[number]

export const SITES = ['sh-a', 'sh-b'] as const
export type Site = (typeof SITES)[number]

/** `system` is the application system: `bank.system` and `service.namespace` of every span. */
export type ServiceFacts = { readonly system: string; readonly baseline: string }

export const SERVICE_FACTS: Readonly<Record<ServiceName, ServiceFacts>> = {
  'mobile-bff': { system: 'channel-mobile', baseline: '9.1.0' },
  'counter-bff': { system: 'channel-counter', baseline: '5.6.2' },
  gateway: { system: 'service-gateway', baseline: '4.8.1' },
  account: { system: 'core-account', baseline: '3.12.0' },
  transfer: { system: 'core-payment', baseline: '2.13.4' },
  limit: { system: 'core-payment', baseline: '1.9.0' },
  ledger: { system: 'core-ledger', baseline: '6.2.3' },
  'core-adapter': { system: 'core-ledger', baseline: '2.4.0' },
}

export type BranchRegion = 'east' | 'north' | 'south'
export type Branch = { readonly id: string; readonly region: BranchRegion }

function branches(prefix: string, region: BranchRegion, count: number): readonly Branch[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${String(index + 1).padStart(2, '0')}`,
    region,
  }))
}

export const BRANCHES: readonly Branch[] = [
  ...branches('0531', 'east', 6),
  ...branches('0451', 'north', 3),
  ...branches('0755', 'south', 3),
]

export const ENVIRONMENT = 'demo'
export const CLOUD_REGION = 'cn-shanghai'
/** One cluster per site. */
export const clusterOf = (site: Site): string => `${site}-01`

export const isServiceName = (name: string): name is ServiceName =>
  (SERVICES as readonly string[]).includes(name)
