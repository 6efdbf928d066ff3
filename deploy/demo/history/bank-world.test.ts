import { expect, test } from 'vitest'
import { services } from '../services/services.ts'
import { SERVICES, SERVICE_FACTS } from '../topology.ts'
import { bankWorld } from './bank-world.ts'
import { castOf } from './cast.ts'
import { phaseAt } from './timeline.ts'
import { present } from '../../../test/support/present.ts'

const END_MS = Date.UTC(2026, 0, 15, 4)
const world = bankWorld({ peakPerSecond: 20, oneIn: 64 })
const cast = castOf(world, END_MS)

test('every operation of the past is one that runs, with its work and return code prefix', () => {
  for (const step of cast.steps) {
    const service = services[present(SERVICES[step.service])]
    const running = service.operations.find(
      ({ method, route }) => method === step.method && route === step.route,
    )
    expect([SERVICES[step.service], step.route, running?.workMs]).toEqual([
      SERVICES[step.service],
      step.route,
      step.workNs / 1e6,
    ])
  }
  const played = new Set(cast.steps.map(({ service, method, route }) => `${service} ${method} ${route}`))
  const running = SERVICES.flatMap((name, place) =>
    services[name].operations.map(({ method, route }) => `${place} ${method} ${route}`),
  )
  expect([...played].sort()).toEqual(running.sort())
})

test('the past ends with the versions that run', () => {
  for (const name of SERVICES) {
    expect([name, phaseAt(cast.timeline, name, END_MS)]).toEqual([
      name,
      expect.objectContaining({ base: SERVICE_FACTS[name].baseline, gray: undefined }),
    ])
  }
})

test('a world that names what it does not have is refused', () => {
  const channels = world.channels.map((channel) => ({ ...channel, entry: 'nobody' }))
  expect(() => castOf({ ...world, channels }, END_MS)).toThrow('the world has no service «nobody»')
  expect(() => castOf({ ...world, oneIn: 48 }, END_MS)).toThrow('oneIn is 48')
})
