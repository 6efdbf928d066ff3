// Each rollout judged by itself as Kayenta does: per minute the new side against the rest, Mann and Whitney's U at 98 %, worse when
// its interval lies above a quarter of the shift and the mean has grown by half; the lowest share of passed metrics is blamed.

import { TOUCHED_NEW, type FaultCase } from '../../../query/blame/case.ts'
import { mannWhitney } from '../../../query/statistics/mann-whitney.ts'
import type { Judge } from '../judge.ts'
import { byScore } from './contrast-sums.ts'

const CONFIDENCE = 0.98
const TOLERANCE = 0.25
const GREATER = 1.5
const MINUTES = 30

export const canaryJudge: Judge = {
  name: 'canary-judge',
  judge: (of) =>
    byScore(
      of.candidates.map(({ release }, index) => {
        const ready = Math.floor((release.readyAtMs ?? Infinity) / 60_000)
        const from = Math.max(ready, of.toMinute - MINUTES)
        if (ready >= of.toMinute) return { release: release.id, score: 0 }
        const metrics = ['errors', 'slow', 'rejects'] as const
        const high = metrics.map((metric) => {
          const { fresh, rest, before } = series(of, index, metric, from)
          // Without a control group the same version an hour before.
          const control = rest.length >= 3 ? rest : before
          const test = mannWhitney(fresh, control, CONFIDENCE)
          if (test === undefined) return 0
          const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length
          const isHigh = test.low > TOLERANCE * Math.abs(test.shift) && mean(fresh) > GREATER * mean(control)
          return isHigh ? test.superiority : 0
        })
        const share = high.filter((one) => one > 0).length / metrics.length
        return { release: release.id, score: share + (share > 0 ? Math.max(...high) / 100 : 0) }
      }),
    ),
}

function series(of: FaultCase, candidate: number, metric: 'errors' | 'slow' | 'rejects', from: number) {
  const { rows, touches, toMinute, fromMinute } = of
  const sums = new Map<string, { requests: number; bad: number }>()
  for (let row = 0; row < rows.length; row += 1) {
    const code = touches[rows.touch[row] ?? 0]?.[candidate]
    if (code === undefined || code === 0) continue
    const key = `${code === TOUCHED_NEW ? 'new' : 'old'}|${String(rows.minute[row] ?? 0)}`
    const known = sums.get(key) ?? { requests: 0, bad: 0 }
    sums.set(key, known)
    known.requests += rows.requests[row] ?? 0
    known.bad +=
      metric === 'slow'
        ? (rows.slow[row] ?? 0)
        : metric === 'rejects'
          ? (rows.rejects[row] ?? 0)
          : (rows.systemErrors[row] ?? 0) + (rows.businessErrors[row] ?? 0) + (rows.shed[row] ?? 0)
  }
  const list = (side: string, first: number, last: number): number[] => {
    const found: number[] = []
    for (let minute = first; minute < last; minute += 1) {
      const sum = sums.get(`${side}|${String(minute)}`)
      if (sum !== undefined && sum.requests > 0) found.push(sum.bad / sum.requests)
    }
    return found
  }
  return {
    fresh: list('new', from, toMinute),
    rest: list('old', from, toMinute),
    before: list('old', Math.max(fromMinute, from - MINUTES), from),
  }
}
