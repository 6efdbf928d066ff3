// Which definitions somebody may change: an admin all, an operator what his teams own, before the change and after it.

import type { Kind, RegistryObject } from '../registry/object.ts'
import type { Check, Look } from '../registry/registry.ts'
import type { ReleaseOrderSpec } from '../registry/kinds/release-order.ts'
import { may, type Principal } from './principal.ts'

/** The change is not this caller's to make. */
export class NotAllowed extends Error {
  readonly code = 'SURETY_NOT_ALLOWED'
  readonly statusCode = 403

  constructor(message: string) {
    super(message)
    this.name = 'Not allowed'
  }
}

const OF_THE_BANK: readonly Kind[] = ['organisation', 'team', 'user', 'calendar']

/** To be handed to the registry with the change. @throws NotAllowed naming the first object and why */
export function writeCheck(principal: Principal): Check {
  return async (changes, look) => {
    if (may(principal, 'administer')) return
    for (const { object, before, after } of changes) {
      const id = `The ${object.kind} «${object.name}»`
      if (OF_THE_BANK.includes(object.kind))
        throw new NotAllowed(`${id} is for those who administer; you are ${principal.role}`)
      for (const version of [before, after]) {
        if (version === undefined) continue
        const owners = await ownersOf(version, look)
        if (owners.length === 0)
          throw new NotAllowed(`${id} belongs to no team, so it is for those who administer`)
        const others = owners.filter((owner) => !principal.teams.includes(owner))
        if (others.length > 0) {
          const mine =
            principal.teams.length === 0 ? 'you are in none' : `yours: ${principal.teams.join(', ')}`
          throw new NotAllowed(`${id} belongs to the team ${others.join(', ')}; ${mine}`)
        }
      }
    }
  }
}

/**
 * An exclusion belongs to whom everything that it excuses belongs; a release order without a team to those whose systems it names,
 * as far as they are known.
 */
async function ownersOf(object: RegistryObject, look: Look): Promise<readonly string[]> {
  if (object.kind === 'release-order' && object.owner === undefined) return ownersOfOrder(object, look)
  if (object.kind !== 'exclusion') return object.owner === undefined ? [] : [object.owner]
  const { systems, services, slos } = object.spec['appliesTo'] as Readonly<Record<string, readonly string[]>>
  const excused = [
    ...(systems ?? []).map((name) => ['system', name] as const),
    ...(services ?? []).map((name) => ['service', name] as const),
    ...(slos ?? []).map((name) => ['slo', name] as const),
  ]
  const owners = new Set<string>()
  for (const [kind, name] of excused) {
    const owner = (await look(kind, name))?.owner
    // Part of it is nobody's: then the whole is not a team's to excuse.
    if (owner === undefined) return []
    owners.add(owner)
  }
  return [...owners]
}

async function ownersOfOrder({ spec }: RegistryObject, look: Look): Promise<readonly string[]> {
  const { systems, items } = spec as ReleaseOrderSpec
  const named = new Set([...systems, ...items.flatMap(({ system }) => system ?? [])])
  const found = await Promise.all([...named].map((name) => look('system', name)))
  return [...new Set(found.flatMap((system) => system?.owner ?? []))]
}
