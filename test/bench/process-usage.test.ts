import { expect, test } from 'vitest'
import { cpuSeconds, parseStat } from './process-usage.ts'

test('a thread name with spaces and brackets is read whole', () => {
  const line = '42 (a) b) (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 11 0 5 1 2'
  expect(parseStat(line)).toEqual({ name: 'a) b) (c', cpuSeconds: 1.75 })
})

test('CPU time of this process agrees with what Node says', () => {
  const { user, system } = process.cpuUsage()
  expect(Math.abs(cpuSeconds(process.pid) - (user + system) / 1e6)).toBeLessThan(0.2)
})
