// Two incidents as a running Surety meets them: spans over OTLP, releases over their door, and what the fault API then says.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FaultReply, FaultsReply } from '../../query/http/fault-schemas.ts'
import { MINUTES, recordedEvents, recordedMinutes } from '../support/recorded-bank.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const MINUTE_MS = 60_000
const PATIENCE_MS = 240_000
/** Before anything fails. */
const GOOD_MINUTES = 18
const BEGIN = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTES * MINUTE_MS
let surety: TestSurety

beforeAll(async () => {
  surety = await startSurety()
  for (const event of recordedEvents(BEGIN)) {
    const reply = await fetch(`${surety.url}/api/v1/releases/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: event,
    })
    if (reply.status !== 201) throw new Error(`a release event was answered ${reply.status}`)
  }
  const minutes = recordedMinutes(BEGIN)
  const send = async (bodies: readonly Buffer[]) => {
    for (const body of bodies) {
      const { status } = await surety.send(body)
      if (status !== 200) throw new Error(`spans were answered ${status}`)
    }
  }
  // Who calls whom is known before anything fails, as anywhere that has run for minutes.
  await send(minutes.slice(0, GOOD_MINUTES))
  await eventually(
    () => surety.get<{ edges: unknown[] }>(`/api/v1/map?from=${new Date(BEGIN).toISOString()}`),
    ({ edges }) => edges.length >= 4,
    PATIENCE_MS,
  )
  await send(minutes.slice(GOOD_MINUTES))
}, 2 * PATIENCE_MS)
afterAll(() => surety.stop())

test(
  'the branch version is blamed and the innocents are not; the zone fault is blamed on nobody',
  async () => {
    const { items } = await eventually(
      () => surety.get<FaultsReply>('/api/v1/faults'),
      (reply) =>
        reply.items.filter(({ verdict }) => verdict === 'blamed' || verdict === 'not-a-rollout').length >= 2,
      PATIENCE_MS,
    )
    expect(items).toHaveLength(2)
    const blamed = items.find(({ verdict }) => verdict === 'blamed')
    expect(blamed).toMatchObject({ origin: 'detector', topCause: { service: 'ledger', versionTo: '6.2.3' } })
    const found = await surety.get<FaultReply>(`/api/v1/faults/${blamed?.id ?? ''}`)
    const others = found.explanation?.ranked.slice(1) ?? []
    expect(others.map(({ service }) => service)).toEqual(expect.arrayContaining(['limit', 'notify']))
    expect(
      others.every(({ isExonerated, reason }) => isExonerated && reason.zh !== '' && reason.en !== ''),
    ).toBe(true)
    expect(found.decisions.length).toBeGreaterThan(0)
    const release = blamed?.topCause?.release ?? ''
    const of = await surety.get<FaultsReply>(`/api/v1/faults?release=${encodeURIComponent(release)}`)
    expect(of.items.map(({ id }) => id)).toEqual([blamed?.id])
    const zone = items.find(({ verdict }) => verdict === 'not-a-rollout')
    expect(zone?.headline?.en).toContain('z2')
  },
  PATIENCE_MS + 60_000,
)
