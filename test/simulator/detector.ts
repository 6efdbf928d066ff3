// Where the alarm comes from until the project's detector is there: a share of bad requests by entry × region (and × branch) that
// chance does not make, against the hour before.

import type { Fault, FaultMeasure } from '../../query/blame/case.ts'
import type { Stream } from './stream.ts'

const WINDOW = 3
const BASE = 60
const Z = 6
const LEAST = 6

type Sum = { requests: number; bad: number; slow: number }

/** @returns a fault when the minutes that end at `toMinute` are not as usual */
export function detectFault(stream: Stream, toMinute: number): Fault | undefined {
  const { world } = stream
  const from = toMinute - BASE - WINDOW
  const groups = new Map<string, { now: Sum; base: Sum; entry: number; region: string; branch: string }>()
  const [start, end] = stream.rowsOf(from, toMinute)
  const rows = stream.rows.view(start, end)
  for (let row = 0; row < rows.length; row += 1) {
    const entry = rows.entry[row] ?? 0
    const cell = world.cells[rows.cell[row] ?? 0]
    for (const branch of ['', cell?.branch ?? '']) {
      const key = `${String(entry)}|${cell?.region ?? ''}|${branch}`
      const known = groups.get(key) ?? {
        now: { requests: 0, bad: 0, slow: 0 },
        base: { requests: 0, bad: 0, slow: 0 },
        entry,
        region: cell?.region ?? '',
        branch,
      }
      groups.set(key, known)
      const sum = (rows.minute[row] ?? 0) >= toMinute - WINDOW ? known.now : known.base
      sum.requests += rows.requests[row] ?? 0
      sum.bad += (rows.systemErrors[row] ?? 0) + (rows.businessErrors[row] ?? 0) + (rows.shed[row] ?? 0)
      sum.slow += rows.slow[row] ?? 0
    }
  }
  let best: { z: number; key: string; measure: FaultMeasure } | undefined
  for (const [key, { now, base }] of groups)
    for (const measure of ['errors', 'latency'] as const) {
      const field = measure === 'errors' ? 'bad' : 'slow'
      const expected = ((base[field] + 0.5) / (base.requests + 1)) * now.requests
      const excess = now[field] - expected
      const z = excess / Math.sqrt(expected * 1.5 + 1)
      if (excess >= LEAST && z >= Z && (best === undefined || z > best.z)) best = { z, key, measure }
    }
  const hit = best === undefined ? undefined : groups.get(best.key)
  if (hit === undefined || best === undefined) return undefined
  const { service = '', operation = '', txnCode = '', channel = '' } = world.entries[hit.entry] ?? {}
  return {
    id: `fault-${String(toMinute)}`,
    origin: 'detector',
    name: '',
    measure: best.measure,
    place: { service, operation, txnCode, channel, site: '', region: '', branch: '' },
    alarmAtMs: toMinute * 60_000,
    endedAtMs: undefined,
  }
}
