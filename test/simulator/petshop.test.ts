// One PetShop fault, read from its files: its true change is among the candidates and ranked, and a directory that is none is refused.

import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { FaultCase } from '../../query/blame/case.ts'
import { recency } from './baselines/recency.ts'
import { runPetShop } from './petshop.ts'

const folder = fileURLToPath(new URL('../fixtures/petshop', import.meta.url))

test('a fault of the shop becomes a case', () => {
  const seen: FaultCase[] = []
  const { outcomes, days } = runPetShop(folder, {
    name: 'recency',
    judge: (of) => {
      seen.push(of)
      return recency.judge(of)
    },
  })
  expect(outcomes).toHaveLength(1)
  expect(days).toEqual({ hours: 0, releases: 0, alarms: 0, blames: 0 })
  const [of] = seen
  if (of === undefined) throw new Error('nothing was judged')
  const target = of.entries.findIndex(({ service }) => service === 'PetSite')
  expect(of.isAffected?.[target]).toBe(true)
  // 471 requests in the five minutes that have the onset.
  const row = Array.from({ length: of.rows.length }, (_, index) => index).filter(
    (index) =>
      of.rows.entry[index] === target &&
      (of.rows.minute[index] ?? 0) * 60_000 >= of.fault.alarmAtMs - 300_000,
  )
  expect(row.slice(0, 5).reduce((sum, index) => sum + (of.rows.requests[index] ?? 0), 0)).toBeCloseTo(471, 6)
  expect(of.calls).toContainEqual(expect.arrayContaining(['PetSite']))
  const [outcome] = outcomes
  if (outcome?.changeType === 'load') expect(outcome.rank).toBe(Infinity)
  else expect(outcome?.rank).toBeLessThanOrEqual(of.candidates.length)
})

test('a directory without labels is refused by name', () => {
  expect(() => runPetShop('/nowhere', recency)).toThrow(/\/nowhere.*labels\.csv/)
})
