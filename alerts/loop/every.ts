// Work that is due once in a while, asked for at every tick.

/** @returns whether `everyMs` have passed since it last said so; at first they have */
export function every(everyMs: number): (nowMs: number) => boolean {
  let atMs = -Infinity
  return (nowMs) => {
    if (nowMs - atMs < everyMs) return false
    atMs = nowMs
    return true
  }
}
