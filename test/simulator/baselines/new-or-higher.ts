// A list of rules, after what is published of Datadog's faulty deployments: a new type of error on the new version, or a rate of
// errors that is significantly higher than before; not when errors are few, or usual at every release.

import type { Judge } from '../judge.ts'
import { byScore, sidesSince } from './contrast-sums.ts'

const FEW = 3
const USUAL = 0.5
const Z = 3

export const newOrHigher: Judge = {
  name: 'new-or-higher',
  judge: (of) => {
    const pasts = new Map(of.signaturePasts.map((past) => [past.signature, past]))
    const alarm = Math.floor(of.fault.alarmAtMs / 60_000)
    const sides = sidesSince(of, alarm - 10)
    return byScore(
      of.candidates.map(({ release }, index) => {
        if ((release.readyAtMs ?? Infinity) > of.fault.alarmAtMs) return { release: release.id, score: 0 }
        const counts = new Map<string, number>()
        for (const row of of.signatures)
          if (
            row.service === release.service &&
            row.version === release.versionTo &&
            row.minute >= alarm - 10
          )
            counts.set(row.signature, (counts.get(row.signature) ?? 0) + row.count)
        let fresh = 0
        for (const [signature, count] of counts) {
          const past = pasts.get(signature)
          const isUsual = past !== undefined && past.releases > 0 && past.atReleases / past.releases >= USUAL
          if (count > FEW && past?.earlierVersions === 0 && !isUsual) fresh += count
        }
        const { fresh: mine, old, all } = sides[index] ?? { fresh: none, old: none, all: none }
        const other =
          old.requests > 0 ? old : { requests: all.requests - mine.requests, bad: all.bad - mine.bad }
        const share = (mine.bad + other.bad) / Math.max(1, mine.requests + other.requests)
        const spread = Math.sqrt(
          share * (1 - share) * (1 / Math.max(1, mine.requests) + 1 / Math.max(1, other.requests)),
        )
        const z =
          mine.bad > FEW && spread > 0
            ? (mine.bad / Math.max(1, mine.requests) - other.bad / Math.max(1, other.requests)) / spread
            : 0
        return { release: release.id, score: (fresh > 0 ? 10 : 0) + (z > Z ? z : 0) }
      }),
    )
  },
}

const none = { requests: 0, bad: 0 }
