// What the engine is compared with, on the same cases.

import type { Judge } from '../judge.ts'
import { canaryJudge } from './canary-judge.ts'
import { newOrHigher } from './new-or-higher.ts'
import { recency } from './recency.ts'
import { timeDifferenceDepth } from './time-difference-depth.ts'
import { voteVeto } from './vote-veto.ts'

export const BASELINES: readonly Judge[] = [recency, voteVeto, timeDifferenceDepth, canaryJudge, newOrHigher]
