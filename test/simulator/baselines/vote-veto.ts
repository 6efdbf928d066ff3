// Votes and vetoes by age, the share of the faults that a release covers, and a decay towards newer ones, after what is published of
// Gandalf (NSDI '20): WD 1 h, 24 h, 72 h; ST = Σ w·ln((P − B + 1) ÷ (B + 1)) where P > B; SS = bad where it is deployed ÷ all bad.

import { TOUCHED_NEW } from '../../../query/blame/case.ts'
import type { Judge } from '../judge.ts'
import { badColumn, byScore, sidesSince } from './contrast-sums.ts'

const WINDOWS_MS = [1, 24, 72].map((hours) => hours * 3_600_000)
const WEIGHTS = [0.5, 0.3, 0.2]
const TAU_MS = 6 * 3_600_000
const SPATIAL_LEAST = 0.1
const LOOK_MINUTES = 10

export const voteVeto: Judge = {
  name: 'vote-veto',
  judge: (of) => {
    const { fault, rows, candidates, touches } = of
    const alarm = Math.floor(fault.alarmAtMs / 60_000)
    const bad = badColumn(of)
    const sides = sidesSince(of, alarm - LOOK_MINUTES)
    return byScore(
      candidates.map(({ release }, index) => {
        const none = { release: release.id, score: 0 }
        const ready = release.readyAtMs
        if (ready === undefined || ready > fault.alarmAtMs) return none
        // Nodes are cells of an entry: those with a bad request after it was there vote, as many as were bad before it veto.
        const votes = new Set<number>()
        const vetoes = new Set<number>()
        const readyMinute = Math.floor(ready / 60_000)
        const span = Math.min(LOOK_MINUTES, Math.max(1, of.toMinute - readyMinute))
        for (let row = 0; row < rows.length; row += 1) {
          if ((bad[row] ?? 0) < 2) continue
          const minute = rows.minute[row] ?? 0
          const node = (rows.entry[row] ?? 0) * 4096 + (rows.cell[row] ?? 0)
          const isNew = touches[rows.touch[row] ?? 0]?.[index] === TOUCHED_NEW
          if (isNew && minute >= alarm - LOOK_MINUTES) votes.add(node)
          if (minute < readyMinute && minute >= readyMinute - span) vetoes.add(node)
        }
        const age = fault.alarmAtMs - ready
        let score = 0
        WINDOWS_MS.forEach((window, at) => {
          const voted = age <= window ? votes.size : 0
          if (voted > vetoes.size)
            score += (WEIGHTS[at] ?? 0) * Math.log((voted - vetoes.size + 1) / (vetoes.size + 1))
        })
        const { fresh, all } = sides[index] ?? { fresh: { bad: 0 }, all: { bad: 0 } }
        const spatial = fresh.bad / Math.max(1, all.bad)
        return spatial < SPATIAL_LEAST
          ? none
          : { release: release.id, score: Math.max(0, score) * spatial * Math.exp(-age / TAU_MS) }
      }),
    )
  },
}
