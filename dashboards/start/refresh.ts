// The page's heartbeat.
//
// States: waiting (a timer runs) → loading (one request round) → waiting …; after a failure the wait doubles up to
// a bound; while the tab is hidden there is no timer, and showing it again loads at once. Two rounds never overlap:
// a round that is overtaken by `now` is aborted first and its outcome ignored.

export type RefreshParts = {
  readonly intervalMs: number
  readonly retryMaxMs: number
  /** One round; rejects when the page could not be brought up to date. */
  readonly load: (signal: AbortSignal) => Promise<void>
  readonly onFailure: (error: unknown, retryInMs: number) => void
  readonly isHidden: () => boolean
  /** Calls back whenever the tab is hidden or shown. */
  readonly watchVisibility: (changed: () => void) => () => void
}

export interface Refresh {
  /** Loads at once: the reader chose another range, service or tab. */
  now(): void
  stop(): void
}

export function startRefresh(parts: RefreshParts): Refresh {
  let timer: ReturnType<typeof setTimeout> | undefined
  let round: AbortController | undefined
  let failures = 0
  let stopped = false

  async function load(): Promise<void> {
    clearTimeout(timer)
    round?.abort()
    const own = new AbortController()
    round = own
    let waitMs = parts.intervalMs
    try {
      await parts.load(own.signal)
      if (round !== own) return
      failures = 0
    } catch (error) {
      if (round !== own) return
      failures++
      waitMs = Math.min(parts.intervalMs * 2 ** failures, parts.retryMaxMs)
      parts.onFailure(error, waitMs)
    }
    round = undefined
    if (!stopped && !parts.isHidden()) timer = setTimeout(() => void load(), waitMs)
  }

  const unwatch = parts.watchVisibility(() => {
    if (parts.isHidden()) clearTimeout(timer)
    else if (round === undefined && !stopped) void load()
  })
  void load()

  return {
    now() {
      if (!stopped) void load()
    },
    stop() {
      stopped = true
      unwatch()
      clearTimeout(timer)
      round?.abort()
      round = undefined
    },
  }
}
