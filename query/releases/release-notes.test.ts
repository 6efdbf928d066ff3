import { expect, test } from 'vitest'
import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { MINUTE_MS, seen, step, T0_MS } from '../../test/support/releases.ts'
import { reconcile } from './reconcile.ts'
import { NOTES_MAX } from './release-notes.ts'
import type { Release } from './release.ts'

const at = (minute: number) => T0_MS + minute * MINUTE_MS
const NOW = 600
const OF = { old: [[-2000, 110]], new: [[100, NOW]] } as const
const SIGHTINGS = [
  seen('pay', '1.0', OF.old),
  seen('pay', '2.0', OF.new),
  seen('ledger', '1.0', OF.old),
  seen('ledger', '2.0', OF.new),
]

const releasesOf = (steps: readonly ReleaseStep[], sightings = SIGHTINGS): readonly Release[] =>
  reconcile({
    steps,
    sightings,
    names: new Map(),
    systems: new Map(),
    nowMs: at(NOW),
    knownFromMs: at(-3 * 24 * 60),
    grayOpenDays: 7,
  })

/** As a ticket or the run of a pipeline is told: of no service. */
const note = (minute: number, given: Partial<ReleaseStep> = {}) =>
  step(minute, { eventId: 'note', kind: 'noted', service: '', versionTo: '', environment: '', ...given })

const PAY = step(97, { eventId: 'pay', releaseKey: 'chain', orderId: 'FB-1', ticket: 'CHG-7' })
const LEDGER = step(98, { eventId: 'ledger', service: 'ledger', artifact: 'pkg:oci/ledger@2.0' })

const notedOf = (releases: readonly Release[]) =>
  releases.flatMap(({ service, stages }) =>
    stages.some(({ eventId }) => eventId === 'note') ? [service] : [],
  )

test.each<{ name: string; note: ReleaseStep; want: readonly string[] }>([
  { name: 'of its chain', note: note(60, { releaseKey: 'chain' }), want: ['pay'] },
  { name: 'of the event it points to', note: note(60, { releaseKey: 'ledger' }), want: ['ledger'] },
  { name: 'of its ticket', note: note(-4000, { ticket: 'CHG-7' }), want: ['pay'] },
  { name: 'of its order', note: note(60, { orderId: 'FB-1', ticket: 'other' }), want: ['pay'] },
  { name: 'of its order, which is a ticket', note: note(60, { ticket: 'FB-1' }), want: ['pay'] },
  { name: 'of its artifact', note: note(60, { artifact: 'pkg:oci/ledger@2.0' }), want: ['ledger'] },
  { name: 'near it in time, of its service', note: note(60, { service: 'ledger' }), want: ['ledger'] },
  { name: 'of its service, a day before', note: note(97 - 24 * 60, { service: 'ledger' }), want: [] },
  { name: 'of its service in a test', note: note(60, { service: 'ledger', environment: 'sit' }), want: [] },
  { name: 'of another version', note: note(60, { service: 'ledger', versionTo: '3.0' }), want: [] },
  {
    name: 'of its chain, but another service',
    note: note(60, { releaseKey: 'chain', service: 'x' }),
    want: [],
  },
  { name: 'of nothing that is known', note: note(60, { releaseKey: 'unknown', ticket: 'T' }), want: [] },
])('what is noted $name stands beside $want', ({ note: noted, want }) => {
  expect(notedOf(releasesOf([PAY, LEDGER, noted]))).toEqual(want)
})

test('a chain over two services has its ticket beside both; it begins neither, and names neither', () => {
  const steps = [
    { ...PAY, ticket: '' },
    { ...LEDGER, releaseKey: 'chain' },
    note(20, {
      releaseKey: 'chain',
      ticket: 'CHG-9',
      actor: 'wang',
      description: 'ticket created',
      pipeline: 'run/1',
    }),
  ]
  const without = releasesOf(steps.slice(0, 2))
  const releases = releasesOf(steps)
  expect(releases.map(({ id }) => id)).toEqual(without.map(({ id }) => id))
  expect(releases.map(({ startedAtMs }) => startedAtMs)).toEqual(
    without.map(({ startedAtMs }) => startedAtMs),
  )
  for (const release of releases) {
    expect(release).toMatchObject({ ticket: 'CHG-9', pipeline: 'run/1', actor: '' })
    expect(release.stages[0]).toEqual({
      kind: 'noted',
      atMs: at(20),
      scope: { selectors: [], weightPercent: undefined },
      source: '/ci',
      eventId: 'note',
      actor: 'wang',
      description: 'ticket created',
      ticket: 'CHG-9',
      pipeline: 'run/1',
    })
  }
  expect(releasesOf(steps.toReversed())).toEqual(releases)
})

test('of several tickets none is the ticket of the release; its own stays', () => {
  const two = [
    note(20, { orderId: 'FB-1', ticket: 'A' }),
    note(21, { orderId: 'FB-1', ticket: 'B', eventId: 'b' }),
  ]
  const ticketOf = (own: string) =>
    releasesOf([{ ...PAY, ticket: own }, ...two]).find(({ service }) => service === 'pay')?.ticket
  expect(ticketOf('')).toBe('')
  expect(ticketOf('CHG-7')).toBe('CHG-7')
})

test('a release that nobody told has what is noted of its service', () => {
  const [only] = releasesOf([note(90, { service: 'pay', ticket: 'CHG-1' })], SIGHTINGS.slice(0, 2))
  expect(only).toMatchObject({
    isImplicit: true,
    ticket: 'CHG-1',
    stages: [{ kind: 'noted', eventId: 'note' }],
  })
})

test('a flood of notes is cut to the newest', () => {
  const flood = Array.from({ length: NOTES_MAX + 50 }, (_, n) =>
    note(100 + n, { eventId: `n${n}`, releaseKey: 'chain' }),
  )
  const [pay] = releasesOf([PAY, ...flood])
  expect(pay?.stages).toHaveLength(1 + NOTES_MAX)
  expect(pay?.stages.at(-1)?.eventId).toBe(`n${NOTES_MAX + 49}`)
})
