// Moments in which every part that keeps files of its own stands still, so that a copy of them is one of one moment.

export interface Quiet {
  /** @param still  runs work while the part writes nothing */
  add(still: <Result>(work: () => Promise<Result>) => Promise<Result>): void
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

export function buildQuiet(): Quiet {
  const parts: (<Result>(work: () => Promise<Result>) => Promise<Result>)[] = []
  return {
    add: (still) => void parts.push(still),
    run: (work) => parts.reduce((inner, still) => () => still(inner), work)(),
  }
}
