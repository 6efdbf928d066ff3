// A composite of Occurrences or RatioTimeslices as the evaluation and the status take it: its windows are those of its parts,
// weighed. Those of Timeslices are in composite-timeslices.ts.

import { compositeWindow } from './composite.ts'
import { remainingBudgetRatio } from './error-budget.ts'
import type { Measured } from './evaluate.ts'
import { judged } from './observe.ts'
import type { CompiledPolicy } from './slo-policy.ts'
import { grossJudged, type ReadWindow } from './slo-status.ts'
import { elapsedRatio } from './slo-window.ts'
import type { Counts } from './window-figures.ts'
import type { WindowSums } from './window-sums.ts'

export type WeighedSums = {
  readonly sums: WindowSums
  readonly weight: number
  /** 1 − the part's own target. */
  readonly budgetRatio: number
}

/** By the places of the compiled policy's windows; undefined where slices of a part are missing. */
export function readComposite(
  slo: CompiledPolicy,
  parts: readonly WeighedSums[],
): readonly (ReadWindow | undefined)[] {
  return slo.windows.map((_, place) => {
    const read = parts.map(({ sums, weight, budgetRatio }) => {
      const figures = sums.figures(place)
      return figures && { figures, weight, budgetRatio }
    })
    const [first] = read
    const known = read.filter((one) => one !== undefined)
    if (first === undefined || known.length < read.length) return undefined
    const whole = (of: (figures: ReadWindow['figures']) => ReadWindow['net']) =>
      compositeWindow(
        known.map(({ figures, weight, budgetRatio }) => ({ weight, budgetRatio, judged: of(figures) })),
        slo.budgetRatio,
        slo.policy.budgeting.method === 'RatioTimeslices' ? 'RatioTimeslices' : 'Occurrences',
      )
    return {
      figures: {
        ...first.figures,
        net: added(known.map(({ figures }) => figures.net)),
        gross: added(known.map(({ figures }) => figures.gross)),
      },
      net: whole((figures) => judged(slo, figures)),
      gross: whole((figures) => grossJudged(slo, figures)),
    }
  })
}

export function observeComposite(slo: CompiledPolicy, parts: readonly WeighedSums[]): Measured {
  const read = readComposite(slo, parts)
  const windows = read.map((one) => one?.net ?? ({ kind: 'no-data', coverage: 0 } as const))
  const [own] = read
  const silent = parts.map(({ sums }) => sums.silentSlices)
  const [first] = parts
  if (first === undefined) throw new RangeError('a composite needs at least one part')
  return {
    kind: 'measured',
    atMs: first.sums.head * first.sums.stepMs,
    windows,
    probe: undefined,
    remainingRatio:
      own &&
      remainingBudgetRatio(
        own.net,
        slo.budgetRatio,
        elapsedRatio(
          slo.policy.window,
          { fromMs: own.figures.fromMs, toMs: own.figures.endMs },
          own.figures.toMs,
        ),
      ),
    silentSlices: silent.includes(undefined) ? undefined : Math.max(...silent.map((slices) => slices ?? 0)),
    // Slices of different parts are no slices of one thing: an outage is told by the part's own SLO.
    slices: [],
    isExcludedNow: parts.every(({ sums }) => sums.isExcluded(sums.head - 1)),
  }
}

function added(counts: readonly Counts[]): Counts {
  const sum = (part: keyof Counts) => counts.reduce((all, one) => all + one[part], 0)
  return {
    good: sum('good'),
    total: sum('total'),
    known: sum('known'),
    empty: sum('empty'),
    expected: sum('expected'),
  }
}
