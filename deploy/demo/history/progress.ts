// Says how far a long piece of work is: one line that is redrawn on a terminal, a line every ten percent elsewhere.

const STEPS = 10
const BAR_WIDTH = 30

export type Out = { readonly isTTY?: boolean; write(text: string): unknown }

/** @returns to be called with the share done, 0 to 1; the last call is with 1 */
export function buildProgress(title: string, out: Out): (share: number) => void {
  let told = -1
  return (share) => {
    const percent = Math.floor(share * 100)
    const step = out.isTTY === true ? percent : Math.floor(share * STEPS)
    if (step <= told) return
    told = step
    if (out.isTTY !== true) {
      out.write(`${title}: ${percent} %\n`)
      return
    }
    const full = Math.round(share * BAR_WIDTH)
    const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full)
    out.write(`\r${title} ${bar} ${String(percent).padStart(3)} %${share >= 1 ? '\n' : ''}`)
  }
}
