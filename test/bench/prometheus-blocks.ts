// The slices of slo-history.ts as Prometheus keeps them: series of each SLO in blocks of its own storage, made by promtool.
// Minutes for the windows up to six hours, five minutes for the longer ones; beside counters, as a scrape sees them, the
// counts of each step, as a recording rule would leave them. A step's sample lies within the step: a range of Prometheus
// 2 holds both of its ends.

import { execFile } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { UNMEASURED } from '../../query/slo/slices.ts'
import { BenchFailure } from './bench-definition.ts'
import { countsOf, type SliceCounts } from './slo-history.ts'

/** Where deploy/setup.mjs puts promtool and prometheus. */
export const PROMETHEUS = fileURLToPath(new URL('../../.cache/prometheus/usr/bin/', import.meta.url))

/** One of the lengths Prometheus makes of two-hour blocks by itself: the fewer there are, the cheaper to ask. */
export const BLOCK_HOURS = 162
const BLOCK_MINUTES = BLOCK_HOURS * 60
/** How far the series of single minutes reach back. */
const FINE_MINUTES = 360
export const COARSE_MINUTES = 5
const WRITE_CHARS = 1 << 20

export type BlockPlan = {
  readonly folder: string
  readonly slos: number
  /** Minutes since 1970, [from, head), multiples of five. */
  readonly from: number
  readonly head: number
}

type Sums = { bad: number; total: number }

/**
 * Writes the blocks into the folder.
 * @returns samples in them
 * @throws BenchFailure when promtool does not take them
 */
export async function writeBlocks(plan: BlockPlan, say: (text: string) => void): Promise<number> {
  const counters = Array.from({ length: plan.slos }, (): Sums => ({ bad: 0, total: 0 }))
  let samples = 0
  let made = Promise.resolve()
  const first = Math.floor((plan.from - 1) / BLOCK_MINUTES) * BLOCK_MINUTES
  for (let start = first; start < plan.head; start += BLOCK_MINUTES) {
    const path = join(plan.folder, `${start}.om`)
    samples += writeSamples(path, plan, start, counters)
    // One block is made while the samples of the next are written.
    await made
    made = makeBlock(path, plan.folder)
    made.catch(() => undefined)
    say(`${(samples / 1e6).toFixed(1)} million samples for Prometheus …`)
  }
  await made
  return samples
}

/** Samples of the steps that end in (start, start + block], series by series. @returns how many */
function writeSamples(
  path: string,
  { slos, from, head }: BlockPlan,
  start: number,
  counters: Sums[],
): number {
  const file = openSync(path, 'w')
  const end = Math.min(start + BLOCK_MINUTES, head)
  const counts: SliceCounts = { good: 0, total: 0, state: 0, revision: 0 }
  let samples = 0
  let text = ''
  try {
    for (let slo = 0; slo < slos; slo++) {
      const counter = counters[slo] as Sums
      const lines = { counterFine: '', counterCoarse: '', countFine: '', countCoarse: '' }
      const add = (series: keyof typeof lines, suffix: string, { bad, total }: Sums, second: number) => {
        lines[series] +=
          `bad_${suffix}{slo="${slo}"} ${bad} ${second}\ntotal_${suffix}{slo="${slo}"} ${total} ${second}\n`
        samples += 2
      }
      let step: Sums = { bad: 0, total: 0 }
      let isKnown = false
      for (let minute = Math.max(start + 1, from); minute <= end; minute++) {
        if (minute > from) {
          countsOf(slo, minute - 1, counts, minute === head)
          if (counts.state !== UNMEASURED) {
            const bad = counts.total - counts.good
            isKnown = true
            step = { bad: step.bad + bad, total: step.total + counts.total }
            counter.bad += bad
            counter.total += counts.total
            if (minute > head - FINE_MINUTES)
              add('countFine', 'count_1m', { bad, total: counts.total }, minute * 60 - 30)
          }
        }
        if (minute >= head - FINE_MINUTES) add('counterFine', 'counter_1m', counter, minute * 60 - 1)
        if (minute % COARSE_MINUTES !== 0) continue
        add('counterCoarse', 'counter_5m', counter, minute * 60 - 1)
        if (isKnown) add('countCoarse', 'count_5m', step, minute * 60 - 150)
        step = { bad: 0, total: 0 }
        isKnown = false
      }
      text += Object.values(lines).join('')
      if (text.length > WRITE_CHARS) {
        writeSync(file, text)
        text = ''
      }
    }
    writeSync(file, `${text}# EOF\n`)
  } finally {
    closeSync(file)
  }
  return samples
}

async function makeBlock(path: string, folder: string): Promise<void> {
  const words = ['tsdb', 'create-blocks-from', 'openmetrics', `--max-block-duration=${BLOCK_HOURS}h`]
  try {
    await promisify(execFile)(join(PROMETHEUS, 'promtool'), [...words, path, folder], {
      maxBuffer: 1 << 24,
      env: { GOMAXPROCS: '1', GOMEMLIMIT: '2GiB' },
    })
  } catch (cause) {
    throw new BenchFailure(
      `promtool makes no blocks: ${cause instanceof Error ? cause.message.slice(0, 500) : String(cause)}; «node deploy/setup.mjs test» gets it.`,
      { cause },
    )
  }
  rmSync(path)
}
