// A world made ready to be played: everything that spans repeat has a number. The numbers depend on the world and the
// end of its history alone, so that every stretch of time names things alike. Pure.

import { placeOf } from '../random.ts'
import { timelineOf, versionsOf, type Timeline } from './timeline.ts'
import type { Channel, Instead, Step, World } from './world.ts'

/** One version of a service in one site. */
export type CastResource = {
  readonly service: string
  readonly system: string
  readonly version: string
  readonly site: string
}

/** Channel and region of a request; from a counter the branch too. */
export type CastAudience = {
  readonly channel: string
  readonly region: string
  readonly branch: string | undefined
  /** One of them is drawn; tellers have a name. */
  readonly people: readonly { readonly teller: string | undefined; readonly clientVersion: string }[]
}

/** What an operation can answer. `origin` answers are not relayed: the failure began there. */
export type CastAnswer = { readonly code: string; readonly status: number; readonly message: string }

export type CastStep = {
  readonly id: number
  /** Place of the service in the world. */
  readonly service: number
  readonly method: string
  readonly route: string
  readonly workNs: number
  readonly answer: number
  readonly instead: readonly { readonly below: number; readonly answer: number }[]
  readonly calls: readonly CastStep[]
}

export type CastJourney = { readonly txnCode: string; readonly below: number; readonly entry: CastStep }

export type CastChannel = Channel & {
  readonly audiences: readonly { readonly below: number; readonly audience: number }[]
  readonly journeys: readonly CastJourney[]
}

export type Cast = {
  readonly world: World
  readonly timeline: Timeline
  readonly resources: readonly CastResource[]
  /** @returns place in `resources`, -1 for a version that never was */
  readonly resource: (service: number, version: string, site: number) => number
  readonly audiences: readonly CastAudience[]
  readonly answers: readonly CastAnswer[]
  /** What a caller answers when its callee answered this. */
  readonly relayed: readonly number[]
  /** @returns place in `answers` of a failure that begins where it is given */
  readonly failure: (code: string) => number
  readonly steps: readonly CastStep[]
  readonly channels: readonly CastChannel[]
}

/** Clients that stand for all of a channel: shares are kept to a twentieth. */
const CLIENTS = 20
const OK = 200
const REJECTED = 422
const FAILED = 500
const RELAYED = 502

/** @throws RangeError when the world names a service that it does not have, or keeps one trace in a wrong number */
export function castOf(world: World, endMs: number): Cast {
  if (!Number.isInteger(Math.log2(world.oneIn)) || world.oneIn < 1 || world.oneIn > 256)
    throw new RangeError(`oneIn is ${world.oneIn}; it must be a power of two from 1 to 256`)
  const timeline = timelineOf(world, endMs)
  const resources = world.services.flatMap(({ name, system }) =>
    versionsOf(timeline, name).flatMap((version) =>
      world.sites.map((site) => ({ service: name, system, version, site })),
    ),
  )
  const resourceKey = (service: string, version: string, site: string) => `${service}|${version}|${site}`
  const resourceAt = new Map(
    resources.map(({ service, version, site }, index) => [resourceKey(service, version, site), index]),
  )

  const answers: CastAnswer[] = []
  function answer(code: string, status: number, message: string): number {
    const known = answers.findIndex((one) => one.code === code && one.status === status)
    return known >= 0 ? known : answers.push({ code, status, message }) - 1
  }
  const messages = new Map(
    world.incidents.flatMap(({ effect }) =>
      effect.kind === 'errors' ? [[effect.code, effect.message] as const] : [],
    ),
  )
  const failure = (code: string) => answer(code, FAILED, messages.get(code) ?? 'the request failed')

  const steps: CastStep[] = []
  function castStep(step: Step): CastStep {
    const service = world.services.findIndex(({ name }) => name === step.service)
    if (service < 0) throw new RangeError(`the world has no service «${step.service}»`)
    let below = 0
    const instead = [
      ...(step.rejects ?? []).map(({ code, ratio }: Instead) => ({
        below: (below += ratio),
        answer: answer(code, REJECTED, ''),
      })),
      ...(step.failures ?? []).map(({ code, ratio }: Instead) => ({
        below: (below += ratio),
        answer: failure(code),
      })),
    ]
    const cast: CastStep = {
      id: steps.length,
      service,
      method: step.method,
      route: step.route,
      workNs: step.workMs * 1e6,
      answer: answer(step.code, OK, ''),
      instead,
      calls: [],
    }
    steps.push(cast)
    const calls = (step.calls ?? []).map(castStep)
    const whole = { ...cast, calls }
    steps[cast.id] = whole
    return whole
  }

  const audiences: CastAudience[] = []
  const channels = world.channels.map((channel): CastChannel => {
    const { branches } = world
    const isBranch = channel.from === 'branch'
    const clients = channel.clientVersions.flatMap(({ version, share }) =>
      Array.from({ length: Math.round(share * CLIENTS) }, () => ({
        teller: undefined,
        clientVersion: version,
      })),
    )
    const own = branches.map(({ id, region }, place) => {
      // All terminals of a branch run one version, as in ../customers.ts.
      const terminals = clients[Math.floor(placeOf(`terminals|${id}`) * clients.length)]?.clientVersion ?? ''
      const tellers = Array.from({ length: world.tellersPerBranch }, (_, index) => ({
        teller: `T${String(place * 10 + index + 1).padStart(5, '0')}`,
        clientVersion: terminals,
      }))
      const known = audiences.findIndex(
        (one) => one.channel === channel.name && one.region === region && !isBranch,
      )
      const audience =
        known >= 0
          ? known
          : audiences.push({
              channel: channel.name,
              region,
              branch: isBranch ? id : undefined,
              people: isBranch ? tellers : clients,
            }) - 1
      return { below: (place + 1) / branches.length, audience }
    })
    let below = 0
    const journeys = world.journeys.map(({ txnCode, share, entry }) => ({
      txnCode,
      below: (below += share),
      entry: castStep({ ...entry, service: channel.entry }),
    }))
    return { ...channel, audiences: own, journeys }
  })
  for (const { effect } of world.incidents) if (effect.kind === 'errors') failure(effect.code)
  const relayed = [...answers].map(({ code, status }, index) =>
    status >= FAILED ? answer(code, RELAYED, '') : index,
  )
  while (relayed.length < answers.length) relayed.push(relayed.length)

  return {
    world,
    timeline,
    resources,
    resource: (service, version, site) =>
      resourceAt.get(resourceKey(world.services[service]?.name ?? '', version, world.sites[site] ?? '')) ??
      -1,
    audiences,
    answers,
    relayed,
    failure,
    steps,
    channels,
  }
}

/** Whether a failure begins where this is answered. */
export const isOrigin = ({ status }: CastAnswer): boolean => status === FAILED
