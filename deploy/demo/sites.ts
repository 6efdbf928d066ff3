// Which sites are up, and whom callers are sent to meanwhile. A site that goes down stops answering at once; the bank
// notices after its failover time and sends everybody to the other one; when the site is back it serves again.
// States of a site: up → down (callers still try it) → rerouted (nobody is sent there) → up.

import { SITES, type Site } from './topology.ts'

export type SiteState = {
  readonly site: Site
  readonly state: 'up' | 'down' | 'rerouted'
  /** ms since epoch; 0 for the state it opened with */
  readonly since: number
}

export interface Sites {
  states(): readonly SiteState[]
  isDown(site: Site): boolean
  /** Whether callers are sent to the site. */
  isRouted(site: Site): boolean
  /** @returns false when it is so already */
  set(site: Site, isDown: boolean, nowMs: number): boolean
  close(): void
}

/**
 * @param failoverMs what the bank needs to notice a dead site and move its customers
 * @param onRerouted called once that time of a site that is still down has passed
 */
export function buildSites(failoverMs: number, onRerouted: (site: Site) => void): Sites {
  const states = new Map<Site, SiteState>(SITES.map((site) => [site, { site, state: 'up', since: 0 }]))
  const timers = new Map<Site, NodeJS.Timeout>()
  const stateOf = (site: Site) => states.get(site)?.state ?? 'up'

  return {
    states: () => [...states.values()],
    isDown: (site) => stateOf(site) !== 'up',
    isRouted: (site) => stateOf(site) !== 'rerouted',
    set(site, isDown, nowMs) {
      if (isDown === (stateOf(site) !== 'up')) return false
      clearTimeout(timers.get(site))
      states.set(site, { site, state: isDown ? 'down' : 'up', since: nowMs })
      if (isDown) {
        const reroute = () => {
          states.set(site, { site, state: 'rerouted', since: nowMs })
          onRerouted(site)
        }
        timers.set(site, setTimeout(reroute, failoverMs))
      }
      return true
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
