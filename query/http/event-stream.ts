// Server-Sent Events to one listener, as a readable that holds back what is not asked for: of what replaces one another only the
// newest waits, the rest waits up to a bound, and whoever takes nothing from one beat to the next is dropped.

import { Readable } from 'node:stream'

export interface EventStream {
  readonly readable: Readable
  /** In order. @returns false when more waits than may; then it was not taken */
  tell(text: string): boolean
  /** What waits under the same key is replaced. @param text  made when it is sent */
  tellNewest(key: string, text: () => string): void
  /** Forgets what waits. */
  clear(): void
  /** Sends a comment, or drops a listener that took nothing since the last beat. @returns false when it was dropped */
  beat(): boolean
  /** Ends it without what waits. */
  end(): void
}

const WAITING_MAX = 1000

/** An event as it is written: no field holds a line break. */
export function eventText(event: string, data: unknown, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

export function buildEventStream(): EventStream {
  const inOrder: string[] = []
  const newest = new Map<string, () => string>()
  let isWanted = false
  let reads = 0
  let readsAtBeat = -1
  let isOver = false
  const readable = new Readable({
    read() {
      reads += 1
      isWanted = true
      give()
    },
  })

  function give(): void {
    if (isOver) return
    while (isWanted && !readable.destroyed) {
      const text = take()
      if (text === undefined) return
      isWanted = readable.push(text)
    }
  }

  function take(): string | undefined {
    const first = inOrder.shift()
    if (first !== undefined) return first
    for (const [key, text] of newest) {
      newest.delete(key)
      return text()
    }
    return undefined
  }

  const clear = () => {
    inOrder.length = 0
    newest.clear()
  }
  return {
    readable,
    tell(text) {
      if (inOrder.length >= WAITING_MAX) return false
      inOrder.push(text)
      give()
      return true
    },
    tellNewest(key, text) {
      newest.set(key, text)
      give()
    },
    clear,
    beat() {
      const isWaiting = inOrder.length > 0 || newest.size > 0
      if (isWaiting && reads === readsAtBeat) {
        readable.destroy()
        return false
      }
      readsAtBeat = reads
      if (!isWaiting) {
        inOrder.push(': still here\n\n')
        give()
      }
      return true
    },
    end() {
      clear()
      if (isOver || readable.destroyed) return
      isOver = true
      readable.push(null)
    },
  }
}
