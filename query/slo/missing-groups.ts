// Groups of an SLO (per branch region, per channel) that stop answering while others go on. Pure: state in, state out.

/** Cycles since each group had a known slice; 0 for those that had one in the last cycle. Plain data, to be stored. */
export type GroupTrack = readonly { readonly group: string; readonly missedCycles: number }[]

export type GroupChange = { readonly group: string; readonly to: 'missing' | 'present' }

/**
 * @param seen      groups that had a known slice in this cycle
 * @param cyclesMin cycles without one from which a group is missing
 * @returns the track to keep, and which groups changed; a group never seen before is simply present
 */
export function trackGroups(
  track: GroupTrack,
  seen: ReadonlySet<string>,
  cyclesMin = 2,
): { readonly track: GroupTrack; readonly changes: readonly GroupChange[] } {
  const changes: GroupChange[] = []
  const known = new Set(track.map(({ group }) => group))
  const next = track.map(({ group, missedCycles }) => {
    if (seen.has(group)) {
      if (missedCycles >= cyclesMin) changes.push({ group, to: 'present' })
      return { group, missedCycles: 0 }
    }
    if (missedCycles + 1 === cyclesMin) changes.push({ group, to: 'missing' })
    return { group, missedCycles: missedCycles + 1 }
  })
  for (const group of seen) if (!known.has(group)) next.push({ group, missedCycles: 0 })
  return { track: next, changes }
}

/** Groups that are missing now. */
export function missingGroups(track: GroupTrack, cyclesMin = 2): readonly string[] {
  return track.filter(({ missedCycles }) => missedCycles >= cyclesMin).map(({ group }) => group)
}
