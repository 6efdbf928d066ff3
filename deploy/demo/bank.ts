// The bank as a whole: which instances run, who serves, which faults are in. It is the only holder of the
// routing table; every change goes to all instances before the withdrawn ones drain.
//
// One service at a time: idle → starting instances → routed → (withdrawn ones drain) → idle. A second change of
// the same service meanwhile is refused, not queued, so that a person sees what he acts on.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import { hits, mayCorrupt, type Fault } from './faults.ts'
import { openInstance, type Instance } from './instance/instance.ts'
import type { Tally } from './instance/messages.ts'
import type { Running } from './machines.ts'
import { buildReleaseEvent, type Release, type ReleaseSender } from './release-events.ts'
import {
  baselineTable,
  deploy,
  nextVersion,
  plannedShare,
  rollBack,
  runningVersions,
  type Routing,
  type RoutingTable,
  type Scope,
} from './routing.ts'
import { buildSites, type SiteState } from './sites.ts'
import { buildTallyWindow, type TallyWindow } from './tally-window.ts'
import { SERVICES, SERVICE_FACTS, SITES, type ServiceName, type Site } from './topology.ts'

/** Callers finish their calls to a withdrawn instance within this time. */
const DRAIN_MS = 1_500
/** Threads at once: the sixteen of the baseline and room for eight versions beside it. */
const INSTANCES_MAX = 32
const FAULTS_MAX = 50
const ACTIONS_MAX = 100
/** A crashed instance is started again after this pause, at most so many times while the bank runs. */
const RESTART_PAUSE_MS = 1_000
const RESTARTS_MAX = 5

export type FaultOrder = Pick<Fault, 'service' | 'version' | 'site' | 'kind' | 'ratio' | 'latencyMs'>
export type DeployOrder = {
  readonly service: ServiceName
  readonly version: string
  readonly scope: Scope
  readonly fault: Pick<Fault, 'kind' | 'ratio' | 'latencyMs'> | undefined
}

export type Refusal = {
  readonly kind: 'refused'
  /** conflict: not now or not any more; invalid: not ever */
  readonly why: 'conflict' | 'invalid' | 'missing'
  readonly field: string
  readonly reason: string
  readonly remedy: string
}
export type Outcome<Value = undefined> = { readonly kind: 'done'; readonly value: Value } | Refusal

export type Action = {
  readonly at: string
  readonly kind:
    | 'deployed'
    | 'rolled-back'
    | 'fault-added'
    | 'fault-removed'
    | 'crashed'
    | 'site-down'
    | 'site-rerouted'
    | 'site-up'
  /** of all but what happens to a site */
  readonly service: ServiceName | undefined
  readonly site: Site | undefined
  readonly version: string | undefined
  readonly previousVersion: string | undefined
  readonly scope: Scope | undefined
  readonly fault: Fault | undefined
}

export type VersionState = {
  readonly version: string
  /** base serves all that no gray scope takes; previous is the way back and serves nothing */
  readonly role: 'base' | 'gray' | 'previous'
  readonly scope: Scope | undefined
  /** share of requests it is meant to serve; null when it depends on who asks */
  readonly plannedShare: number | null
  readonly sites: readonly Site[]
  readonly lastMinute: Tally
}

export type ServiceState = {
  readonly name: ServiceName
  readonly system: string
  readonly changing: boolean
  readonly nextVersion: string
  readonly mayRollBack: boolean
  readonly mayCorrupt: boolean
  readonly versions: readonly VersionState[]
}

export type BankState = {
  readonly services: readonly ServiceState[]
  readonly faults: readonly Fault[]
  readonly actions: readonly Action[]
  readonly siteStates: readonly SiteState[]
}

export interface Bank {
  state(): BankState
  /** what callers route by, now */
  readonly routing: () => Routing
  /** every instance and how busy it is */
  running(): readonly Running[]
  deploy(order: DeployOrder): Promise<Outcome>
  rollBack(service: ServiceName): Promise<Outcome>
  addFault(order: FaultOrder): Outcome<Fault>
  removeFault(id: string): Outcome
  clearFaults(): Outcome<number>
  /** A site stops answering, or answers again. */
  setSite(site: Site, isDown: boolean): Outcome
  /** Drains every instance. */
  close(): Promise<void>
}

export type BankParts = {
  readonly tracesUrl: string
  readonly seed: number
  /** from a site's end to its customers' arrival at the other one */
  readonly failoverMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly releases: Pick<ReleaseSender, 'send'>
}

/** Resolves when every baseline instance listens. @throws Error when one of them does not come up */
export async function openBank(parts: BankParts): Promise<Bank> {
  const { clock, logger } = parts
  const instances = new Set<Instance>()
  const windows = new Map<string, TallyWindow>()
  /** Per instance, for what its machine uses. */
  const loads = new Map<
    Instance,
    { readonly id: string; readonly since: number; readonly window: TallyWindow }
  >()
  const seen = new Map<ServiceName, string[]>(
    SERVICES.map((service) => [service, [SERVICE_FACTS[service].baseline]]),
  )
  const changing = new Set<ServiceName>()
  const restarts = new Map<string, number>()
  let table: RoutingTable = baselineTable()
  let faults: readonly Fault[] = []
  let actions: readonly Action[] = []
  let started = 0
  let faultCount = 0
  let closed = false

  const sites = buildSites(parts.failoverMs, (site) => {
    push()
    note({ kind: 'site-rerouted', site })
  })

  const routing = (): Routing => ({
    table,
    endpoints: [...instances]
      .filter(({ site }) => sites.isRouted(site))
      .map(({ service, version, site, port }) => ({ service, version, site, port })),
  })

  function push(): void {
    const now = routing()
    for (const instance of instances) instance.route(now)
  }

  function pushFaults(): void {
    for (const instance of instances) instance.injectFaults(faults.filter((fault) => hits(fault, instance)))
  }

  function note(action: Partial<Action> & Pick<Action, 'kind'>): void {
    const full: Action = {
      at: new Date(clock.now()).toISOString(),
      service: undefined,
      site: undefined,
      version: undefined,
      previousVersion: undefined,
      scope: undefined,
      fault: undefined,
      ...action,
    }
    actions = [full, ...actions].slice(0, ACTIONS_MAX)
    logger.info(
      { action: full.kind, service: full.service, site: full.site, version: full.version },
      'the demo bank changed',
    )
  }

  const windowOf = (service: ServiceName, version: string): TallyWindow => {
    const key = `${service}@${version}`
    const window = windows.get(key) ?? buildTallyWindow()
    windows.set(key, window)
    return window
  }

  async function start(service: ServiceName, version: string, site: Site): Promise<Instance> {
    started += 1
    const window = windowOf(service, version)
    const load = buildTallyWindow()
    const instanceId = `${service}-${version}-${site}-${randomBytes(3).toString('hex')}`
    const instance = await openInstance(
      {
        service,
        version,
        site,
        instanceId,
        seed: (parts.seed * 7919 + started) >>> 0,
        tracesUrl: parts.tracesUrl,
      },
      {
        onTally(tally) {
          window.add(clock.now(), tally)
          load.add(clock.now(), tally)
        },
        onPort(problem) {
          const of = { service, version, site, port: instance.port, reason: problem }
          if (problem === undefined) logger.info(of, 'an instance of the demo bank has its port again')
          else
            logger.warn(
              of,
              'an instance of the demo bank cannot be reached at its port; it tries every second, so end what holds the port',
            )
        },
        onCrash: (error) => void recover(instance, error),
      },
    )
    if (sites.isDown(site)) instance.setDown(true)
    loads.set(instance, { id: instanceId, since: clock.now(), window: load })
    return instance
  }

  async function recover(instance: Instance, error: Error): Promise<void> {
    instances.delete(instance)
    loads.delete(instance)
    if (closed) return
    push()
    const { service, version, site } = instance
    note({ kind: 'crashed', service, version })
    const key = `${service}@${version}/${site}`
    const count = (restarts.get(key) ?? 0) + 1
    restarts.set(key, count)
    logger.error({ err: error, service, version, site, count }, 'an instance of the demo bank crashed')
    if (count > RESTARTS_MAX) return
    await sleep(RESTART_PAUSE_MS)
    if (closed || !runningVersions(table[service]).includes(version)) return
    try {
      instances.add(await start(service, version, site))
      push()
      pushFaults()
    } catch (cause) {
      logger.error({ err: cause, service, version, site }, 'a crashed instance could not be started again')
    }
  }

  async function withdraw(service: ServiceName, versions: readonly string[]): Promise<void> {
    const leaving = [...instances].filter(
      (instance) => instance.service === service && versions.includes(instance.version),
    )
    if (leaving.length === 0) return
    await sleep(DRAIN_MS)
    for (const instance of leaving) {
      instances.delete(instance)
      loads.delete(instance)
    }
    push()
    await Promise.all(leaving.map((instance) => instance.stop()))
    for (const version of versions) windows.delete(`${service}@${version}`)
  }

  /** Runs one change of a service; refuses while another one runs. */
  async function alone(service: ServiceName, change: () => Promise<Outcome>): Promise<Outcome> {
    if (changing.has(service)) {
      return refusal(
        'conflict',
        'service',
        `another change of ${service} is under way`,
        'wait a few seconds and try again',
      )
    }
    changing.add(service)
    try {
      return await change()
    } finally {
      changing.delete(service)
    }
  }

  function announce(release: Omit<Release, 'at'>): void {
    parts.releases.send(buildReleaseEvent({ ...release, at: clock.now() }))
  }

  function addFault(order: FaultOrder): Outcome<Fault> {
    if (order.kind === 'wrong-result' && !mayCorrupt(order.service)) {
      return refusal(
        'invalid',
        'kind',
        `no service reads what ${order.service} answers, so its wrong result would fail nowhere`,
        'choose a service further down, such as limit or account',
      )
    }
    if (order.version !== undefined && !runningVersions(table[order.service]).includes(order.version)) {
      return refusal(
        'missing',
        'version',
        `${order.service} ${order.version} is not running`,
        `choose one of ${runningVersions(table[order.service]).join(', ')}, or leave version out`,
      )
    }
    return faults.length >= FAULTS_MAX ? tooManyFaults() : { kind: 'done', value: inject(order) }
  }

  const tooManyFaults = (): Refusal =>
    refusal('conflict', 'fault', `${FAULTS_MAX} faults are in already`, 'remove some first')

  function inject(order: FaultOrder): Fault {
    faultCount += 1
    const fault: Fault = { id: `F${faultCount}`, since: clock.now(), ...order }
    faults = [...faults, fault]
    pushFaults()
    note({ kind: 'fault-added', service: fault.service, version: fault.version, fault })
    return fault
  }

  async function deployVersion(order: DeployOrder): Promise<Outcome> {
    const { service, version, scope } = order
    const before = table[service]
    const change = deploy(before, version, scope)
    if (change.kind === 'refused') return { ...change, why: 'conflict' }
    if (order.fault?.kind === 'wrong-result' && !mayCorrupt(service)) {
      return refusal(
        'invalid',
        'fault.kind',
        `no service reads what ${service} answers, so its wrong result would fail nowhere`,
        'choose errors or latency',
      )
    }
    if (order.fault !== undefined && faults.length >= FAULTS_MAX) return tooManyFaults()
    const isNew = !runningVersions(before).includes(version)
    if (isNew && instances.size + SITES.length > INSTANCES_MAX) {
      return refusal(
        'conflict',
        'version',
        `${instances.size} instances are running, and ${INSTANCES_MAX} is the most this demo allows`,
        'roll a service back first',
      )
    }
    if (isNew) {
      const arriving = await Promise.allSettled(SITES.map((site) => start(service, version, site)))
      const up = arriving.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      const failed = arriving.find((result) => result.status === 'rejected')
      if (failed !== undefined || closed) {
        await Promise.all(up.map((instance) => instance.stop()))
        throw new Error(`${service} ${version} did not start`, { cause: failed?.reason })
      }
      for (const instance of up) instances.add(instance)
      seen.get(service)?.push(version)
    }
    table = { ...table, [service]: change.routes }
    note({ kind: 'deployed', service, version, previousVersion: before.base, scope })
    // The fault is in before the first request is, as it would be in the code.
    if (order.fault !== undefined) inject({ service, version, site: undefined, ...order.fault })
    else pushFaults()
    push()
    const wasServing = before.gray.some((release) => release.version === version)
    announce({
      action: scope.kind === 'whole' || wasServing ? 'upgraded' : 'deployed',
      service,
      version,
      previousVersion: before.base,
      scope,
    })
    await withdraw(service, change.withdrawn)
    dropFaultsOf(service, change.withdrawn)
    return { kind: 'done', value: undefined }
  }

  async function rollServiceBack(service: ServiceName): Promise<Outcome> {
    const before = table[service]
    const change = rollBack(before)
    if (change.kind === 'refused') return { ...change, why: 'conflict' }
    table = { ...table, [service]: change.routes }
    push()
    const version = change.routes.base
    const from = before.gray.at(-1)?.version ?? before.base
    note({ kind: 'rolled-back', service, version, previousVersion: from })
    announce({ action: 'rolledback', service, version, previousVersion: from, scope: { kind: 'whole' } })
    await withdraw(service, change.withdrawn)
    dropFaultsOf(service, change.withdrawn)
    return { kind: 'done', value: undefined }
  }

  /** A fault aimed at a version leaves with it. */
  function dropFaultsOf(service: ServiceName, versions: readonly string[]): void {
    const stay = (fault: Fault): boolean =>
      fault.service !== service || fault.version === undefined || !versions.includes(fault.version)
    for (const fault of faults)
      if (!stay(fault)) note({ kind: 'fault-removed', service, version: fault.version, fault })
    faults = faults.filter(stay)
  }

  function serviceState(service: ServiceName): ServiceState {
    const routes = table[service]
    const now = clock.now()
    const versions = runningVersions(routes).map((version): VersionState => {
      const gray = routes.gray.find((release) => release.version === version)
      const role = gray !== undefined ? 'gray' : version === routes.base ? 'base' : 'previous'
      return {
        version,
        role,
        scope: gray?.scope ?? (role === 'base' ? { kind: 'whole' } : undefined),
        plannedShare: plannedShare(routes, version) ?? null,
        sites: [...instances]
          .filter((instance) => instance.service === service && instance.version === version)
          .map((instance) => instance.site)
          .sort(),
        lastMinute: windowOf(service, version).sum(now),
      }
    })
    return {
      name: service,
      system: SERVICE_FACTS[service].system,
      changing: changing.has(service),
      nextVersion: nextVersion(seen.get(service) ?? []),
      mayRollBack: routes.gray.length > 0 || routes.previous !== undefined,
      mayCorrupt: mayCorrupt(service),
      versions,
    }
  }

  const opening = await Promise.allSettled(
    SERVICES.flatMap((service) => SITES.map((site) => start(service, SERVICE_FACTS[service].baseline, site))),
  )
  for (const result of opening) if (result.status === 'fulfilled') instances.add(result.value)
  const broken = opening.find((result) => result.status === 'rejected')
  if (broken !== undefined) {
    closed = true
    await Promise.all([...instances].map((instance) => instance.stop()))
    throw new Error('the demo bank could not start all of its services', { cause: broken.reason })
  }
  push()

  return {
    routing,
    running() {
      const now = clock.now()
      return [...instances].flatMap((instance) => {
        const { service, site } = instance
        if (sites.isDown(site)) return []
        const load = loads.get(instance)
        if (load === undefined) return []
        const { requests } = load.window.sum(now)
        const upSeconds = (now - load.since) / 1000
        const seconds = Math.max(1, Math.min(60, upSeconds))
        return [{ instanceId: load.id, service, site, requestsPerSecond: requests / seconds, upSeconds }]
      })
    },
    state: () => ({ services: SERVICES.map(serviceState), faults, actions, siteStates: sites.states() }),
    deploy: (order) => alone(order.service, () => deployVersion(order)),
    rollBack: (service) => alone(service, () => rollServiceBack(service)),
    addFault,
    removeFault(id) {
      const fault = faults.find((candidate) => candidate.id === id)
      if (fault === undefined) {
        return refusal(
          'missing',
          'id',
          `no fault has the id ${id}`,
          'read /api/state for the faults that are in',
        )
      }
      faults = faults.filter((candidate) => candidate !== fault)
      pushFaults()
      note({ kind: 'fault-removed', service: fault.service, version: fault.version, fault })
      return { kind: 'done', value: undefined }
    },
    clearFaults() {
      const removed = faults
      faults = []
      pushFaults()
      for (const fault of removed)
        note({ kind: 'fault-removed', service: fault.service, version: fault.version, fault })
      return { kind: 'done', value: removed.length }
    },
    setSite(site, isDown) {
      if (isDown && SITES.every((other) => other === site || sites.isDown(other)))
        return refusal(
          'conflict',
          'site',
          `${site} is the last site that is up`,
          'bring the other one back first',
        )
      if (!sites.set(site, isDown, clock.now()))
        return refusal(
          'conflict',
          'site',
          `${site} is ${isDown ? 'down' : 'up'} already`,
          'read /api/state for the sites',
        )
      for (const instance of instances) if (instance.site === site) instance.setDown(isDown)
      push()
      note({ kind: isDown ? 'site-down' : 'site-up', site })
      return { kind: 'done', value: undefined }
    },
    async close() {
      closed = true
      sites.close()
      await Promise.all([...instances].map((instance) => instance.stop()))
      instances.clear()
    },
  }
}

function refusal(why: Refusal['why'], field: string, reason: string, remedy: string): Refusal {
  return { kind: 'refused', why, field, reason, remedy }
}
