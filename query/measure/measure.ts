// Measures slices of whatever is asked. A question that fails takes down no other: its slices are missing and it is named.

import { StoreError, type Store } from '../../ingest/store/store.ts'
import type { RequestQuestion } from './families.ts'
import type { Measured, MeasuredSlice } from './measured-slice.ts'
import { measureMetric, type MetricQuestion } from './metrics.ts'
import type { SliceQuestion } from './question.ts'
import { measureRequests } from './requests.ts'

export type MeasuredAll = Measured & {
  /** Series that could not be measured, and why. */
  readonly failures: ReadonlyMap<string, string>
}

/**
 * @param fromSecond, toSecond  s since epoch; slices that lie in between as a whole are measured
 * @param knownGroups  groups seen before of a series
 * @throws StoreError when the store cannot answer now
 */
export async function measureSlices(
  store: Store,
  questions: readonly SliceQuestion[],
  fromSecond: number,
  toSecond: number,
  knownGroups: (series: string) => Iterable<string> = () => [],
): Promise<MeasuredAll> {
  const failures = new Map<string, string>()
  const slices: MeasuredSlice[] = []
  const tooManyGroups = new Map<string, number>()
  const take = ({ slices: found, tooManyGroups: many }: Measured) => {
    for (const slice of found) slices.push(slice)
    for (const [series, groups] of many) tooManyGroups.set(series, groups)
  }
  const requests = questions.filter((one): one is RequestQuestion => one.indicator.kind === 'requests')
  try {
    take(await measureRequests(store, requests, fromSecond, toSecond, knownGroups))
  } catch (error) {
    refuseBusy(error)
    // One statement that fails is not all of them.
    for (const question of requests) {
      try {
        take(await measureRequests(store, [question], fromSecond, toSecond, knownGroups))
      } catch (failure) {
        refuseBusy(failure)
        failures.set(question.series, messageOf(failure))
      }
    }
  }
  for (const question of questions) {
    if (question.indicator.kind === 'requests') continue
    try {
      slices.push(...(await measureMetric(store, question as MetricQuestion, fromSecond, toSecond)))
    } catch (error) {
      refuseBusy(error)
      failures.set(question.series, messageOf(error))
    }
  }
  return { slices, tooManyGroups, failures }
}

/** A store that cannot answer now answers nobody: that is no question's fault. @throws StoreError */
function refuseBusy(error: unknown): void {
  if (error instanceof StoreError && error.retryable) throw error
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
