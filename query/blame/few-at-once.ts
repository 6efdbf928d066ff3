// A store that is asked few questions at a time, so that whoever gathers much leaves room for others, and nothing more once nobody waits for it.

import type { AskOptions, Store } from '../../ingest/store/store.ts'

export type Few = {
  /** Questions that run at the same time; the others wait here and not in the lane. */
  readonly atOnce: number
  /** Of every question that names none. */
  readonly options: AskOptions
  /** Once it is aborted nothing more is asked: what runs ends within its bound, what waits throws the reason. */
  readonly signal?: AbortSignal | undefined
}

export function askFewAtOnce(
  store: Pick<Store, 'ask'>,
  { atOnce, options, signal }: Few,
): Pick<Store, 'ask'> {
  let free = atOnce
  const waiting: (() => void)[] = []
  return {
    async ask(question, parameters, own) {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        signal?.throwIfAborted()
        return await store.ask(question, parameters, own ?? options)
      } finally {
        const next = waiting.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  }
}
